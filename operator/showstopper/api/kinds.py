"""Kinds of fault: as written in YAML, and as named in models; which are the agents', and which are done at once."""

from showstopper.api.network import NETWORK_KINDS
from showstopper.api.process import PROCESS_KINDS

AGENT_KINDS = {**NETWORK_KINDS, **PROCESS_KINDS}
"""What the agents of the targets' nodes do."""
CROWD_KINDS = {"packetFlood": "packet_flood"}
"""What pods in the room's namespace do, each behind a gate of its node's agent."""
INJECTION_KINDS = {**AGENT_KINDS, "floodGate": "flood_gate", "floodArrivals": "flood_arrivals"}
"""What an Injection can ask of a node's agent."""
FAULT_KINDS = {"podKill": "pod_kill", **AGENT_KINDS, **CROWD_KINDS}
"""What an entry of an Experiment's faults can be."""
INSTANT_KINDS = ("podKill", "containerKill")
"""What is done in an instant, and has no duration. Every other kind lasts until it is lifted."""
