"""Stressors: processes of ours that take CPU time or memory under a container's limits, and end by themselves."""
