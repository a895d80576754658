"""Planning: what a run would hit, from a snapshot of the cluster, and why it may not."""
