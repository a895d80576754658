"""The two ends of what a pod of the crowd sends, which agents hold: its gate, and counting at the targets."""

from showstopper.api.faults.network import NetworkFault


class Gate(NetworkFault):
    """The target is a pod of the crowd: what it sends passes to the peers only, and only under the lease."""


class Arrivals(NetworkFault):
    """Count what arrives at the targets from the peers, which are pods of the crowd; nothing is changed."""
