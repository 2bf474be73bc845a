"""The thin shells: one a process."""
