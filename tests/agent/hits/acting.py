"""What tests of hits on processes share: a target, means to hit it, and an agent and a watchdog of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from showstopper.agent.changes import HEART, Changes
from showstopper.agent.containers import Containers
from showstopper.agent.hits.process import NodeAccess
from showstopper.api.injection import InjectionTarget
from showstopper.clock import Clock
from tests.agent.change_holder import RENEWAL
from tests.agent.container import Container

PATIENCE = 20.0
LEASE = 4.0
"""Seconds, within which a busy machine has armed a fault, or started a stressor: another Python."""
FREEZE = '{"freeze": {}}'


def target(of: Container, **changes: str) -> InjectionTarget:
    """The container as an Injection names it."""
    return InjectionTarget(
        **{"pod": "relay-0", "uid": of.uid, "address": "198.18.1.5", "container_id": of.id, **changes}
    )


def access(changes: Changes) -> NodeAccess:
    """Those of this machine."""
    return NodeAccess(Containers(), changes, Clock())


def soon() -> float:
    """An end that no test sees."""
    return time.monotonic() + 10


def until(what: Callable[[], object], words: str) -> None:
    """Wait for a state."""
    give_up = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < give_up, words
        time.sleep(0.002)


@contextmanager
def watchdog(state: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A watchdog that is up: it has beaten itself, whoever did so before."""
    (state / HEART).unlink(missing_ok=True)
    with subprocess.Popen([sys.executable, "-m", "showstopper.agent.watchdog", str(state)]) as process:
        try:
            until(lambda: Changes(state).watched(time.time()), "the watchdog is up")
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


def renewed(agent: "subprocess.Popen[bytes]") -> list[float]:
    """The ends that an agent has named for longer than a lease: it is renewals that hold it."""
    assert agent.stdout
    return [json.loads(agent.stdout.readline()) for _ in range(int(LEASE / RENEWAL) + 3)]


def struck(agent: "subprocess.Popen[bytes]", blow: signal.Signals) -> list[float]:
    """Kill it, or have it hang: the ends that it had named and nobody had read."""
    agent.send_signal(blow)
    assert agent.stdout
    os.set_blocking(agent.stdout.fileno(), False)
    return [json.loads(line) for line in (agent.stdout.read() or b"").splitlines()]


def nobody_left(dog: "subprocess.Popen[bytes]", agent: "subprocess.Popen[bytes]") -> None:
    """Kill both, as soon as the agent has armed its fault."""
    assert agent.stdout
    agent.stdout.readline()
    for process in (dog, agent):
        process.kill()
        process.wait()


@contextmanager
def held(state: Path, of: Container, fault: str = FREEZE) -> Iterator["subprocess.Popen[bytes]"]:
    """An agent that arms the fault and renews its lease for ever, and writes until when it holds."""
    arguments = [str(state), target(of).model_dump_json(), fault, str(LEASE)]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.agent.change_holder", *arguments], stdout=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()
