"""The gate of a flooder: nothing passes before it is up, only the flood passes it, and nothing after it."""

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from showstopper.agent.journal import Journal
from showstopper.agent.kernel.backends import Backends
from showstopper.agent.kernel.namespaces import Namespace
from showstopper.agent.network.arming import Armed
from showstopper.agent.network.node import Node
from showstopper.api.faults.network import Direction
from showstopper.api.faults.storm import MediaPort, StormArrivals, StormGate
from showstopper.errors import EffectRefused, LeaseLost
from showstopper.faults.flood.flood_arrivals import flood_arrivals
from showstopper.faults.flood.flood_gate import flood_gate
from showstopper.faults.network.traffic import NetworkEffect, Ports, Traffic
from showstopper.faults.storm.ends import TCP
from showstopper.faults.storm.storm_gate import storm_gate
from showstopper.faults.task import GATE_PORT
from tests.agent.conftest import Arm
from tests.agent.holder import LEASE
from tests.agent.wire import MEDIA, RECEIVER, SENDER, Wire
from tests.audio import crowd_processes
from tests.audio.flood import floods

pytestmark = pytest.mark.netns

SIZE = 172
GATE = flood_gate("gate", (RECEIVER,), MEDIA, SIZE)
ARRIVALS = flood_arrivals("arrivals", (SENDER,), MEDIA, SIZE)
ARRIVING = StormArrivals(signalling=7880)
PATIENCE = 60.0


@contextmanager
def flooder(wire: Wire, **changes: str) -> Iterator["subprocess.Popen[str]"]:
    """One that waits for its gate at the sender's end, and says so, as in its pod."""
    told = {"TARGETS": f"{RECEIVER}:{MEDIA}", "GATE": str(GATE_PORT), **changes}
    process = floods.start(["ip", "netns", "exec", wire.sender.name, *floods.COMMAND], **told)
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "waiting"
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def gated(wire: Wire) -> Iterator[Wire]:
    """The wire, without the gate that stays in its sender's namespace."""
    yield wire
    assert wire.forget_gates() == 1


def passed(armed: Armed, direction: Direction = Direction.EGRESS) -> int:
    return armed.counters()[direction].affected


def until_passing(armed: Armed) -> None:
    """Say that the gate is up until somebody has heard it."""
    deadline = time.monotonic() + PATIENCE
    while not passed(armed):
        assert time.monotonic() < deadline, "no packet passes the gate"
        armed.announce()
        time.sleep(0.01)


@pytest.mark.parametrize("rate", ["20000", "max"])
def test_a_flood_begins_when_its_gate_is_up_and_every_packet_is_counted_at_both_ends(
    gated: Wire, arm: Arm, rate: str
) -> None:
    arrivals = arm(ARRIVALS, gated.receiver)
    with gated.ear() as ear, flooder(gated, RATE=rate, PACKETS="5000") as process:
        armed = arm(GATE)
        assert passed(armed) == 0, "nothing was sent before"
        until_passing(armed)
        ended = crowd_processes.end(process)
        assert (ended.code, ended.report["ended_by"], ended.report["packets"]) == (0, "Packets", 5000)
        assert len(ear.packets()) == 5000
    assert passed(armed) == passed(arrivals, Direction.INGRESS) == 5000
    assert not arrivals.lift().leftovers
    assert not armed.lift().leftovers


def test_without_a_gate_it_sends_nothing_and_says_so(wire: Wire, arm: Arm) -> None:
    arrivals = arm(ARRIVALS, wire.receiver)
    with flooder(wire, END=crowd_processes.in_seconds(2)) as process:
        ended = crowd_processes.end(process)
    assert (ended.code, ended.report["ended_by"], ended.report["packets"]) == (1, "NoGate", 0)
    assert passed(arrivals, Direction.INGRESS) == 0


def test_one_that_waits_ends_when_it_is_told_to(wire: Wire) -> None:
    with flooder(wire) as process:
        process.send_signal(signal.SIGTERM)
        # The signal is for "ip netns exec", which has become the flooder.
        assert crowd_processes.end(process).report["ended_by"] == "Terminated"


def test_nothing_else_passes(gated: Wire, arm: Arm) -> None:
    """Another port, another address, another protocol: whatever sends there is shut in, and hears of no error."""
    armed = arm(GATE)
    with gated.ear(MEDIA + 1) as other:
        assert not gated.send(packets=100, per_second=2000, port=MEDIA + 1).errors
        assert not other.packets()
    pings = ["ping", "-c", "3", "-i", "0.2", "-W", "1", RECEIVER]
    assert subprocess.run(["ip", "netns", "exec", gated.sender.name, *pings], check=False).returncode == 1
    with gated.ear() as ear:
        gated.send(packets=100, per_second=2000)
        assert len(ear.packets()) == 100
    armed.follow(("198.18.200.77",))
    with gated.ear() as ear:
        gated.send(packets=100, per_second=2000)
        assert not ear.packets(), "whose address was taken out of it gets nothing any more"
    armed.follow(())
    with gated.ear() as ear:
        gated.send(packets=100, per_second=2000)
        assert not ear.packets(), "no target is left: that is nobody, and not everybody"
    assert passed(armed) == 100


def test_a_gate_that_is_lifted_is_shut(gated: Wire, arm: Arm) -> None:
    armed = arm(GATE)
    with gated.ear() as ear:
        gated.send(packets=10, per_second=2000)
        lifted = armed.lift()
        assert lifted.counters[Direction.EGRESS].affected == 10
        assert not lifted.leftovers
        gated.send(packets=100, per_second=2000)
        assert len(ear.packets()) == 10
    with pytest.raises(LeaseLost):
        armed.refresh(time.monotonic() + 5)


def test_a_sweep_shuts_what_an_earlier_life_left_open(gated: Wire, able: Backends, tmp_path: Path) -> None:
    with held(gated, able, tmp_path / "journal") as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        following = Node(Journal(tmp_path / "journal"), able)
        following.sweep()
        with gated.ear() as ear:
            gated.send(packets=100, per_second=2000)
            assert not ear.packets()
        following.close()


@contextmanager
def held(wire: Wire, able: Backends, journal: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """An agent's process that holds the gate by a short lease."""
    command = [sys.executable, "-m", "tests.agent.holder"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(pickle.dumps((wire.sender, GATE, journal, able)))
        process.stdin.close()
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def test_without_an_agent_nothing_passes_after_the_lease(gated: Wire, able: Backends, tmp_path: Path) -> None:
    """The agent is killed in the middle of a flood that nobody else ends."""
    with gated.ear() as ear, held(gated, able, tmp_path / "journal") as process:
        with gated.sending(packets=6000, per_second=2000) as sender:
            assert process.stdout
            process.stdout.readline()
            os.kill(process.pid, signal.SIGKILL)
            killed = time.time()
            sender.wait(timeout=PATIENCE)
        stamps = [packet.at for packet in ear.packets()]
    assert len(stamps) < 6000
    assert max(stamps) <= killed + LEASE + 0.1


def test_a_flood_of_nobody_watched_ends_by_its_budget(gated: Wire, arm: Arm) -> None:
    """Nobody ends it, and its gate stays open: it sends what it may, and not one packet more."""
    armed = arm(GATE)
    with flooder(gated, RATE="5000", PACKETS="4000") as process:
        until_passing(armed)
        ended = crowd_processes.end(process)
    assert (ended.report["ended_by"], ended.report["packets"], passed(armed)) == ("Packets", 4000, 4000)


@pytest.mark.parametrize(
    ("targets", "says"),
    [
        (("198.18.0.0/24",), "is no IP address"),
        (("127.0.0.1",), "is a loopback address"),
        (("224.0.0.9",), "is a multicast address"),
        (("255.255.255.255",), "is a broadcast address"),
        (("198.18.0.1", "fd00::1"), "one version of IP"),
        (tuple(f"198.18.0.{number}" for number in range(1, 102)), "at most 100"),
    ],
)
def test_a_gate_leads_to_single_pods_only(wire: Wire, arm: Arm, targets: tuple[str, ...], says: str) -> None:
    with pytest.raises(EffectRefused, match=says):
        arm(flood_gate("gate", targets, MEDIA, SIZE))


SIGNAL = 7880
STORM_GATE = storm_gate("storm", (RECEIVER,), StormGate(signalling=SIGNAL, media=(MediaPort(port=MEDIA),)))


@contextmanager
def listening(wire: Wire, *ports: int) -> Iterator[None]:
    """Servers at the receiver's end that let everybody connect."""
    with Namespace.at(wire.receiver) as there, ExitStack() as stack:
        for port in ports:
            stack.enter_context(there.call(partial(socket.create_server, (RECEIVER, port))))
        yield


def connects(wire: Wire, port: int) -> bool:
    """Whether somebody at the sender's end gets a connection there."""
    with Namespace.at(wire.sender) as there, there.call(socket.socket) as joining:
        joining.settimeout(0.7)
        try:
            joining.connect((RECEIVER, port))
        except TimeoutError:
            return False
        return True


def test_joins_and_their_media_pass_the_gate_of_a_storm_and_nothing_else_does(gated: Wire, arm: Arm) -> None:
    arrivals = NetworkEffect(
        "arrivals", Traffic(Direction.INGRESS, TCP, own_ports=(Ports.one(SIGNAL),), peers=(SENDER,)), ARRIVING
    )
    counted = arm(arrivals, gated.receiver)
    with listening(gated, SIGNAL, SIGNAL + 1), gated.ear() as media, gated.ear(MEDIA + 1) as other:
        armed = arm(STORM_GATE)
        assert connects(gated, SIGNAL)
        assert not connects(gated, SIGNAL + 1), "another port of the same pod"
        gated.send(packets=100, per_second=2000)
        gated.send(packets=100, per_second=2000, port=MEDIA + 1)
        assert (len(media.packets()), len(other.packets())) == (100, 0)
        assert 0 < passed(counted, Direction.INGRESS) < passed(armed)
        armed.lift()
        assert not connects(gated, SIGNAL), "nothing opens it again"
