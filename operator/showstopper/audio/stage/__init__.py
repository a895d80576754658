"""Host and door as executors: what they do to themselves. Of all in audio/, this alone talks to the API server."""
