"""Tests of what is in dev/."""
