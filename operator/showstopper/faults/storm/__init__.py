"""Storms: the storm itself, its two ends on the nodes, and what its pod is told."""
