"""Faults of packets: what all kinds share, and a behaviour for each kind."""
