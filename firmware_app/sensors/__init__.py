"""From pulses to cadence; pure."""
