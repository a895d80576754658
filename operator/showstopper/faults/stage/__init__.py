"""Faults that the parts of the stage carry out on themselves."""
