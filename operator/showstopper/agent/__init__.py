"""The agent: faults on one node, done by its kernel, proven by its counters, and lifted by its timers."""
