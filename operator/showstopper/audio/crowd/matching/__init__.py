"""What a listener of a crowd hears, told by which packets of a reference it was sent."""
