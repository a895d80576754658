"""What tests, end-to-end tests and benchmarks share: objects from the fewest words, harnesses, real servers."""
