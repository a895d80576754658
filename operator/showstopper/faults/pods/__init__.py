"""Faults of whole pods: a behaviour for each kind."""
