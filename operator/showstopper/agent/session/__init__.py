"""Sessions: Injections carried out under their run's Lease, and reported."""
