"""A run while it goes on: feeds, pictures, lines."""
