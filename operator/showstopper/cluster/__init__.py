"""The Kubernetes API: client, leader lease, watches, events."""
