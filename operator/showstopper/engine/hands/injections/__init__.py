"""What the hands of executors share: a run's Injections, its Lease, and what agents, host and door answer."""
