"""The devices of a bike."""
