"""Faults of processes: a behaviour for each kind."""
