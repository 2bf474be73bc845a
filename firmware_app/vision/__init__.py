"""From light to landmarks; the only package that holds a picture of the rider."""
