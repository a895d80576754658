"""A run from plan to verdict."""
