"""Storms: many who join a room at once or at a pace, each counted at its first try."""
