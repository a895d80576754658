"""The host as executor: faults that it carries out on itself. Of all in audio/, this alone talks to the API server."""
