"""Random rooms whose truth is known by construction, what is told of them, and the verdict on that."""
