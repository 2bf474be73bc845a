"""What faces people and other machines: the box's gateway, the gym's studio."""
