"""Faults as they are declared: a file for each family, with a class for each kind."""
