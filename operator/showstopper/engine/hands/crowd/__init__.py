"""The crowd's hand: flooder Jobs and their gates."""
