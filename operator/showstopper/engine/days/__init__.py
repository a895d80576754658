"""Game days: acts in order, each with its hold and its run, from the first to one verdict on all of them."""
