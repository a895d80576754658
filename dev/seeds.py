"""Seeds that a session of tests is given by its environment, and that it prints."""

MATRIX = "SHOWSTOPPER_MATRIX_SEED"
"""Chooses the third of each matrix that is run (tests/support/matrices.py). None: all of it."""
