"""The gym's side: takes in what boxes send, confirms it, counts for the instructor."""
