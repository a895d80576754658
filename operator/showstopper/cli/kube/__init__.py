"""What commands ask of the cluster."""
