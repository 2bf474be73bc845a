"""A ride as other programs read it: FIT for sports services, JSON for a phone's health records."""
