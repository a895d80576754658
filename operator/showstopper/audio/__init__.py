"""The sound of a room: the host's time code, and the listeners who hear it and say what they heard."""
