"""From rule states to the one sentence worth saying; pure."""
