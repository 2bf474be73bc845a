"""The class, the screen and the sound."""
