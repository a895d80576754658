"""Tests that need no cluster. They mirror operator/showstopper and dev; what they share is in tests/support."""
