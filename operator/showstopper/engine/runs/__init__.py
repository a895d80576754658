"""Runs: from a request to a verdict, one record each."""
