"""Tests on a real cluster, by what listeners hear."""
