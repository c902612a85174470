"""What happens when a run is killed, cut off, raced or lied to at any of its requests."""
