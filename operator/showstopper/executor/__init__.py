"""Executors: Injections carried out under their run's Lease, and reported. What agents and hosts have in common."""
