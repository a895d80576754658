"""The fleet of a room: listeners and host, their manifests, and their keeping."""
