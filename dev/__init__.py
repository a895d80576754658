"""What building and trying Showstopper takes: set-up, locks, stage, demo, an embedded Kubernetes, a virtual machine."""
