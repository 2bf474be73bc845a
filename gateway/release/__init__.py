"""Makes the one signed file that is installed on a box; on the machine of whoever releases."""
