"""A wire between two namespaces, and a node that makes faults on it."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from showstopper import garbage
from showstopper.agent.journal import Journal
from showstopper.agent.kernel import backends
from showstopper.agent.kernel.backends import Backends
from showstopper.agent.network.arming import Armed
from showstopper.agent.network.node import Node
from showstopper.errors import LeaseLost
from showstopper.faults.network.traffic import NetworkEffect
from tests.agent import machine
from tests.agent import wire as wires
from tests.agent.wire import Wire

Arm = Callable[..., Armed]
Note = Callable[[str, str], None]

LEASE, RENEWAL = 10.0, 2.0
"""Seconds, as the operator's."""


@pytest.fixture(scope="session")
def able() -> Backends:
    """What this machine's kernel can do; whoever asks for a method by its name gets that, or a failure.

    As in an agent's process nothing of what is loaded is looked through again: in this one that takes 80 ms.
    """
    garbage.keep_what_is_there()
    probed = backends.probe()
    assert machine.METHOD in (None, probed.method), f"{machine.METHOD} is not this kernel's way: {probed}"
    return probed


@pytest.fixture
def wire() -> Iterator[Wire]:
    """Two namespaces and what is between them, as empty afterwards as before."""
    with wires.made() as made:
        before = made.state()
        yield made
        assert made.state() == before


@pytest.fixture
def node(able: Backends, tmp_path: Path, wire: Wire) -> Iterator[Node]:
    """An agent's core; whatever is armed is lifted before the wire is looked at."""
    made = Node(Journal(tmp_path / "journal"), able)
    yield made
    made.close()


@pytest.fixture
def arm(node: Node, wire: Wire) -> Iterator[Arm]:
    """Arm an effect at the sender's end, or at the receiver's, and renew its lease until the test is over."""
    armed_effects: list[Armed] = []
    over = threading.Event()

    def armed(effect: NetworkEffect, at: Path | None = None) -> Armed:
        armed_effects.append(node.arm(at or wire.sender, effect, time.monotonic() + LEASE))
        return armed_effects[-1]

    def renew() -> None:
        while not over.wait(RENEWAL):
            for armed_effect in tuple(armed_effects):
                with suppress(LeaseLost):  # lifted
                    armed_effect.refresh(time.monotonic() + LEASE)

    with ThreadPoolExecutor(1) as operator:
        renewing = operator.submit(renew)
        yield armed
        over.set()
        renewing.result()


@pytest.fixture
def note(record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]) -> Note:
    """Say a measured figure, with the machine's own noise, in the test's output and in its report."""

    def noted(what: str, figure: str) -> None:
        record_property(what, figure)
        with capsys.disabled():
            sys.stdout.write(f"\n  {what}: {figure} ")

    return noted
