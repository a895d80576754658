"""A real two-node Kubernetes on this one machine, without Docker and without a registry, for tests and demos.

Start and stop it with ``python -m dev.cluster``. Use it from Python through :mod:`dev.cluster.api`.
"""
