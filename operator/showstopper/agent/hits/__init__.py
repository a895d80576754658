"""Hits: what an Injection does to one target."""
