"""What can be typed after bikebox, one a file."""
