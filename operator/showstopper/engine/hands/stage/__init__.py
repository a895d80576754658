"""The stage's hand: what the managed host and the door are asked to do on themselves."""
