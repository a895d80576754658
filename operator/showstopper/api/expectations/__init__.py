"""What an experiment may expect a bound of: indicators of what is heard, and queries of other sources."""
