"""Floods: the program that loads a room from a pod without any privilege. It needs neither the SDK nor numpy."""
