"""Hands execute effects: start, prove, revert, sweep."""
