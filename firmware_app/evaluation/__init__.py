"""How good the coach is: the shipped pipeline over labelled riders, scored."""
