"""The bike's side of the box: what is real-time and near the rider."""
