"""Showstopper: chaos engineering for live audio rooms, judged by what listeners hear."""

__version__ = "0.1.0"
