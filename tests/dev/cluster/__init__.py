"""The pure parts of the embedded cluster's supervisor, and what needs no root to be tried for real."""
