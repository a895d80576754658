"""The commands that are processes of the cluster."""
