"""The managed host: it plays hold music, then speaks the time code, and stays in the room."""
