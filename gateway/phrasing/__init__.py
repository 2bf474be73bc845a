"""A language model words cues ahead of need; what it may say is decided elsewhere."""
