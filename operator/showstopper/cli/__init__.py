"""The command `showstopper`, also as `kubectl showstopper`."""
