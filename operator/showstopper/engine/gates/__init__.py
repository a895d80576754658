"""Gates: whether a release may go on, from the runs that it has passed."""
