"""Listening: the feeds of a room's listeners, collected."""
