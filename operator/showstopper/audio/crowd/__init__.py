"""The crowd: programs that load a room from pods without any privilege. They need neither the SDK nor numpy."""
