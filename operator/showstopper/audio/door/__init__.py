"""The door: where clients get their tokens, and where a room's public listener count is shown."""
