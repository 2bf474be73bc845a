"""A whole bike on one machine: every service, simulated hardware, embedded class and broker."""
