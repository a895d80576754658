"""Experiments: when they ask for runs, and what their status says."""
