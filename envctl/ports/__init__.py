"""The protocols that the workflows need of the world outside."""
