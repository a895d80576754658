"""What commands read from the cluster and write to it."""
