"""The stage's hand: what the managed host is asked to do on itself."""
