"""Faults, pure: a spec and its targets become an effect and what proves it."""
