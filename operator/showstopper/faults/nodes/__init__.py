"""Faults of nodes: a behaviour for each kind."""
