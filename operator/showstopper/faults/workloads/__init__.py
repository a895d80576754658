"""Faults of the workloads behind a component's pods: a behaviour for each kind."""
