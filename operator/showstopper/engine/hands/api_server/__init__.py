"""The API server as a hand: what the operator carries out itself, by calls on pods and by changes of objects."""
