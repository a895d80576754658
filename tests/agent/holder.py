"""A process that holds a fault by a short lease until it is killed; line by line it says until when (Unix seconds)."""

import json
import pickle
import sys
import time
from pathlib import Path

from showstopper.agent.journal import Journal
from showstopper.agent.kernel.backends import Backends
from showstopper.agent.network.node import Node
from showstopper.faults.network.traffic import NetworkEffect

LEASE = 1.6
"""Seconds: a busy machine that stands still for one does not lose it."""
RENEWAL = 0.2


def hold(namespace: Path, effect: NetworkEffect, journal: Path, able: Backends) -> None:
    """Arm, and renew for ever."""
    node = Node(Journal(journal), able)
    until = time.monotonic() + LEASE
    armed = node.arm(namespace, effect, until)
    while True:
        sys.stdout.write(json.dumps(until - time.monotonic() + time.time()) + "\n")
        sys.stdout.flush()
        time.sleep(RENEWAL)
        until = time.monotonic() + LEASE
        armed.refresh(until)


if __name__ == "__main__":
    hold(*pickle.loads(sys.stdin.buffer.read()))
