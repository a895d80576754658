"""The agents' hand: which pods they hit, and which come to be targets while a fault lasts."""
