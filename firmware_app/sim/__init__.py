"""Stand-ins for the devices of a bike; shipped, for demos, showrooms and tests."""
