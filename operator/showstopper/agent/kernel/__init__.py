"""The node's kernel: packet filter, queues, traffic classes, namespaces, cgroups."""
