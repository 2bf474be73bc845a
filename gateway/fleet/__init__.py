"""The technician's laptop: which bikes there are, what each is, and what would change it."""
