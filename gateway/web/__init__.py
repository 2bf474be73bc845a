"""The box's local API and console."""
