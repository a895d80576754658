"""Network faults on this node: rules, queues and traffic classes, armed and lifted."""
