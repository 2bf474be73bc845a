"""Looks at a box as a technician would, one part after the other, and says what to do."""
