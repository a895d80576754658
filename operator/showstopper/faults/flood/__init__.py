"""Packet floods: the flood itself, its two ends on the nodes, and what the flooder is told."""
