"""Benchmarks: they measure on this machine or on the embedded cluster, and write JSON."""
