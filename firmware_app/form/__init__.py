"""From landmarks to rule states: how the rider sits; pure."""
