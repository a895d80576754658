"""The commands for people, a module each."""
