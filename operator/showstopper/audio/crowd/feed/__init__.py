"""The feed of a crowd: what each of its listeners heard, as changes of their states and as totals."""
