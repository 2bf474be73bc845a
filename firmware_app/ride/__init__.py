"""The ride itself; pure."""
