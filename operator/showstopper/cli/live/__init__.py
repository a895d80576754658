"""A run in progress: following it, its picture on a terminal, its lines in a log."""
