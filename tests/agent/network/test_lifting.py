"""Faults lift themselves, whatever becomes of their agent, and the next agent finds and removes what is left."""

import itertools
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from showstopper.agent.journal import Entry, Journal
from showstopper.agent.kernel.backends import Backends
from showstopper.agent.network.node import Node
from showstopper.api.faults.network import (
    Bandwidth,
    Corrupt,
    Delay,
    Direction,
    Duplicate,
    NetworkFault,
    PacketLoss,
    Protocol,
    Reorder,
)
from showstopper.api.schema.quantities import Share
from showstopper.errors import AgentError, EffectRefused, KernelRefused, LeaseLost, NamespaceGone, TrafficClassTaken
from showstopper.faults.network.dns_failure import dns_failure
from showstopper.faults.network.plan import MOST_EFFECTS
from showstopper.faults.network.traffic import NetworkEffect, Ports, Traffic
from tests.agent import machine
from tests.agent.conftest import Arm, Note
from tests.agent.holder import LEASE
from tests.agent.wire import MEDIA, RECEIVER, SENDER, Packet, Wire
from tests.faults.network.build import APART, BLOCKED

pytestmark = pytest.mark.netns

HALF = Share(0.5)
UDP = frozenset({Protocol.UDP})
DOSES: list[NetworkFault] = [
    PacketLoss(percent=HALF),
    PacketLoss(percent=HALF, burst=timedelta(milliseconds=60)),
    Duplicate(percent=HALF),
    Corrupt(percent=HALF),
    Reorder(percent=HALF, hold=timedelta(milliseconds=30)),
    Delay(latency=timedelta(milliseconds=50)),
    Delay(latency=timedelta(milliseconds=50), jitter=timedelta(milliseconds=20)),
    Bandwidth(rate="500kbit"),
    APART,
    BLOCKED,
]


def to_media(name: str, dose: NetworkFault) -> NetworkEffect:
    """An effect on what goes from the sender to the receiver's media port."""
    peers = (RECEIVER,)
    return NetworkEffect(name, Traffic(Direction.EGRESS, UDP, peer_ports=(Ports.one(MEDIA),), peers=peers), dose)


EFFECTS = [to_media(f"{type(dose).__name__.lower()}.{number}", dose) for number, dose in enumerate(DOSES)]
EFFECTS.append(dns_failure("dns"))
PER_SECOND = machine.pace(1000)
PACKETS = 6 * PER_SECOND
"""Until more than a second after the lease of an agent that is killed one and a half leases after it armed."""
GRACE = 0.1
"""Seconds after the lease from which on packets must be untouched."""


def port_of(effect: NetworkEffect) -> int:
    return effect.traffic.peer_ports[0].first


def untouched(sent: range, got: list[Packet]) -> bool:
    """Whether packets arrived once each, in order, at once and as they were.

    One in a hundred may be late: a busy machine holds some back. A fault holds back a tenth of them at the least.
    """
    numbers = [packet.number for packet in got]
    whole = all(packet.payload[16:] == bytes(range(16, 172)) for packet in got)
    late = sum(packet.took >= 0.015 for packet in got)
    return numbers == list(sent) and whole and late <= len(sent) // 100


@contextmanager
def held(wire: Wire, effect: NetworkEffect, journal: Path, able: Backends) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that holds the fault."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.agent.holder"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        process.stdin.write(pickle.dumps((wire.sender, effect, journal, able)))
        process.stdin.close()
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.matrix("effects that lift themselves")
@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.name)
def test_lifts_itself_when_its_agent_is_killed(
    wire: Wire, able: Backends, tmp_path: Path, effect: NetworkEffect, note: Note
) -> None:
    journal = tmp_path / "journal"
    with wire.ear(port_of(effect)) as ear, held(wire, effect, journal, able) as process:
        assert process.stdout
        process.stdout.readline()
        armed_at = time.time()
        with wire.sending(packets=PACKETS, per_second=PER_SECOND, port=port_of(effect)) as sender:
            while time.time() < armed_at + 1.5 * LEASE:  # more than a lease: renewals do hold it
                until = float(process.stdout.readline())
            os.kill(process.pid, signal.SIGKILL)
            until = max([until, *(float(line) for line in process.stdout.read().splitlines())])
            sender.wait(timeout=30)
        got = ear.packets()
    last = max(packet.number for packet in got)
    assert last == PACKETS - 1
    sent_of = {packet.number: packet.sent for packet in got}
    after = min(number for number, sent in sent_of.items() if sent > until + GRACE)
    assert untouched(range(after, last + 1), [packet for packet in got if packet.number >= after])
    touched = _last_touched(got, sent_of, slowed=isinstance(effect.fault, Delay | Reorder | Bandwidth))
    assert until - LEASE - 0.5 < touched <= until + GRACE, (
        "the fault acted until its agent was killed, and ended in time"
    )
    note("lifted", f"{effect.name} {(touched - until) * 1000:+.1f} ms after the lease")
    swept = Node(Journal(journal), able)
    assert list(swept.sweep()) == [str(wire.sender)], "the next agent finds what the killed one left"
    assert not swept.sweep()
    swept.close()


def _last_touched(got: list[Packet], sent_of: dict[int, float], *, slowed: bool) -> float:
    """When the last packet was sent that did not arrive once and as it was; if it is lost, at the earliest.

    One that came late was touched by a fault that slows packets down, and by a busy machine else.
    """
    copies = Counter(packet.number for packet in got)
    bad = {packet.number for packet in got if packet.payload[24:28] != bytes(range(24, 28))}
    bad |= {packet.number for packet in got if slowed and packet.took >= 0.015}
    bad |= {number for number in range(max(copies)) if copies[number] != 1}
    begin = min(sent - number / PER_SECOND for number, sent in sent_of.items())
    return max((sent_of.get(number, begin + number / PER_SECOND) for number in bad), default=begin)


def test_a_lease_that_is_not_renewed_ends_and_stays_ended(wire: Wire, node: Node) -> None:
    armed = node.arm(wire.sender, EFFECTS[8], time.monotonic() + 2)
    with wire.ear() as ear:
        assert not wire.send(packets=50, per_second=1000).errors
        assert not ear.packets(0.1)
        while not armed.lease.lost:
            time.sleep(0.01)
        time.sleep(GRACE)
        with pytest.raises(LeaseLost, match="lifted itself"):
            armed.refresh(time.monotonic() + 5)
        wire.send(packets=50, per_second=1000)
        assert len(ear.packets()) == 50


def test_timers_that_were_set_late_are_set_again(wire: Wire, arm: Arm, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel counts from when it took them: what the way there took must not be added to the lease."""
    armed = arm(EFFECTS[8])
    nft = armed._target.nft
    extend, asked = nft.extend, list[int]()

    def slow(families: Iterable[str], table: str, milliseconds: int) -> None:
        asked.append(milliseconds)
        time.sleep(0.2)
        extend(families, table, milliseconds)

    monkeypatch.setattr(nft, "extend", slow)
    armed.refresh(time.monotonic() + 5)
    assert len(asked) == 2
    assert asked[1] <= asked[0] - 200
    asked.clear()
    with pytest.raises(LeaseLost, match="while its timers were set"):
        armed.refresh(time.monotonic() + 0.1)
    with wire.ear() as ear:
        wire.send(packets=20, per_second=1000)
        assert len(ear.packets(0.1)) == 20, "timers that run on after the lease are taken back"


def test_renewals_leave_no_gap(wire: Wire, arm: Arm) -> None:
    armed = arm(EFFECTS[8])
    with wire.ear() as ear, wire.sending(packets=machine.pace(10_000), per_second=10_000) as sender:
        renewals = 0
        while sender.poll() is None:
            armed.refresh(time.monotonic() + 1)
            renewals += 1
        assert renewals > 50
        assert not ear.packets()


def test_a_namespace_that_vanishes_takes_the_fault_with_it(wire: Wire, able: Backends, tmp_path: Path) -> None:
    node = Node(Journal(tmp_path / "journal"), able)
    name = f"tests-gone-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    subprocess.run(["ip", "-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", "eth1"], check=True)
    path = Path("/run/netns", name)
    armed = node.arm(path, EFFECTS[0], time.monotonic() + 10)
    subprocess.run(["ip", "netns", "del", name], check=True)
    armed.refresh(time.monotonic() + 10)
    assert not armed.lift().leftovers
    with pytest.raises(NamespaceGone, match="no network namespace at"):
        node.arm(path, EFFECTS[0], time.monotonic() + 10)
    node.close()


def test_a_sweep_leaves_alone_what_is_not_ours(wire: Wire, node: Node) -> None:
    inside = ["ip", "netns", "exec", wire.sender.name]
    for command in (
        "nft add table netdev show",
        "nft add table inet showstopper_guard",
        "tc qdisc add dev lo root htb",
    ):
        subprocess.run([*inside, *command.split()], check=True)
    before = wire.state()
    assert not node.sweep([wire.sender, wire.receiver, Path("/run/netns/none")])
    assert wire.state() == before
    for command in (
        "nft delete table netdev show",
        "nft delete table inet showstopper_guard",
        "tc qdisc del dev lo root",
    ):
        subprocess.run([*inside, *command.split()], check=True)


def test_a_sweep_goes_by_the_prefix_too(wire: Wire, node: Node) -> None:
    left = ["ip", "netns", "exec", wire.sender.name, "nft", "add", "table", "netdev", "showstopper-old"]
    subprocess.run(left, check=True)
    assert str(node.sweep([wire.sender])[str(wire.sender)]) == "table netdev showstopper-old"
    assert not node.sweep([wire.sender])


def test_what_an_earlier_life_left_is_swept_before_the_first_fault(wire: Wire, node: Node, arm: Arm) -> None:
    """The journal names a namespace by a process, and that may have gone since."""
    left = ["nft", "add", "table", "netdev", "showstopper-earlier"]
    subprocess.run(["ip", "netns", "exec", wire.sender.name, *left], check=True)
    assert not arm(to_media("loss", PacketLoss(percent=Share(0.5)))).lift().leftovers
    assert not node.sweep([wire.sender])


def test_nothing_is_swept_while_something_is_armed(node: Node, arm: Arm) -> None:
    arm(EFFECTS[0])
    with pytest.raises(AgentError, match="armed"):
        node.sweep()


def test_somebody_elses_qdisc_is_left_alone(wire: Wire, arm: Arm) -> None:
    inside = ["ip", "netns", "exec", wire.sender.name]
    subprocess.run([*inside, "tc", "qdisc", "add", "dev", "eth0", "root", "handle", "7:", "htb"], check=True)
    before = wire.state()
    arm(EFFECTS[7]).lift()
    assert wire.state() == before
    subprocess.run([*inside, "tc", "qdisc", "del", "dev", "eth0", "root"], check=True)


def test_setting_up_and_clearing_away_take_no_packet_with_them(wire: Wire, arm: Arm) -> None:
    """As a change of the device's own qdisc would. (The fault is of another port, so it hits none of them itself.)"""
    other = replace(EFFECTS[7], traffic=replace(EFFECTS[7].traffic, peer_ports=(Ports.one(MEDIA + 1),)))
    packets, rounds = 2 * PER_SECOND, 0
    with wire.ear() as ear, wire.sending(packets=packets, per_second=PER_SECOND) as sender:
        while sender.poll() is None:
            arm(other).lift()
            rounds += 1
        assert [packet.number for packet in ear.packets()] == list(range(packets))
    assert rounds > 5


def test_a_name_is_armed_once(arm: Arm) -> None:
    armed = arm(EFFECTS[0])
    with pytest.raises(EffectRefused, match="already"):
        arm(EFFECTS[0])
    armed.lift()
    with pytest.raises(LeaseLost, match="is lifted"):
        armed.refresh(time.monotonic() + 5)
    arm(EFFECTS[0]).lift()


def test_faults_know_of_each_other_by_whatever_path_their_namespace_was_found(
    wire: Wire, node: Node, tmp_path: Path
) -> None:
    """The path to a pod's network changes when its process goes: what is there is no leftover of an earlier life."""
    other = tmp_path / "other"
    other.symlink_to(wire.sender)
    first = node.arm(wire.sender, to_media("first", APART), time.monotonic() + 10)
    second = node.arm(other, to_media("second", Duplicate(percent=HALF)), time.monotonic() + 10)
    assert not second.lift().leftovers
    with wire.ear() as ear:
        wire.send(packets=20, per_second=1000)
        assert not ear.packets(0.1)
    assert not first.lift().leftovers


def test_what_is_out_of_bounds_is_not_armed(wire: Wire, arm: Arm, node: Node) -> None:
    with pytest.raises(EffectRefused, match="no peers are left"):
        arm(NetworkEffect("late", Traffic(peers=()), Delay(latency=timedelta(milliseconds=50))))
    with pytest.raises(LeaseLost):
        node.arm(wire.sender, EFFECTS[0], time.monotonic() - 1)


def test_the_journal_knows_what_is_armed(wire: Wire, arm: Arm, tmp_path: Path) -> None:
    armed = arm(EFFECTS[0])
    journal = Journal(tmp_path / "journal")
    assert journal.open_entries() == [Entry(str(wire.sender), EFFECTS[0].name)]
    armed.lift()
    assert journal.open_entries() == []
    journal.close()


def test_what_cannot_be_written_down_is_not_armed_and_takes_nothing(wire: Wire, node: Node) -> None:
    before = wire.state()
    with full(node._journal):
        for _ in range(MOST_EFFECTS + 1):
            with pytest.raises(KernelRefused, match="No space left on device"):
                node.arm(wire.sender, EFFECTS[0], time.monotonic() + 10)
        assert wire.state() == before
    assert not node._armed
    armed = node.arm(wire.sender, EFFECTS[0], time.monotonic() + 10)
    with full(node._journal):
        assert not armed.lift().leftovers


@contextmanager
def full(journal: Journal) -> Iterator[None]:
    """A disk without room for another line of it."""
    file, journal._file = journal._file, os.open("/dev/full", os.O_WRONLY)
    yield
    os.close(journal._file)
    journal._file = file


def test_what_the_kernel_did_not_let_go_of_is_lifted_with_the_next_fault(
    wire: Wire, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it takes up a number, and keeps its pod's network, until the agent is restarted."""

    def refuse(_tables: object) -> None:
        raise KernelRefused("Device or resource busy")

    before = wire.state()
    left = node.arm(wire.sender, to_media("left", APART), time.monotonic() + 10)
    with monkeypatch.context() as busy:
        busy.setattr(left._target.nft, "delete", refuse)
        with pytest.raises(KernelRefused):
            left.lift()
        node.arm(wire.receiver, EFFECTS[0], time.monotonic() + 10)
        assert len(node._armed) == 2
    others = [node.arm(wire.receiver, EFFECTS[1], time.monotonic() + 10), *node._armed]
    assert left not in others
    for armed in others:
        assert not armed.lift().leftovers
    assert wire.state() == before


def test_bandwidth_faults_share_a_device(wire: Wire, arm: Arm) -> None:
    first, second = (
        arm(NetworkEffect(name, Traffic(Direction.BOTH, peers=(peer,)), Bandwidth(rate="1Mbit")))
        for name, peer in (("one", "192.0.2.1"), ("two", "192.0.2.2"))
    )
    assert not first.lift().leftovers
    assert second.counters()[Direction.EGRESS].matched == 0
    assert not second.lift().leftovers


def test_packets_that_a_delay_holds_survive_the_end_of_another_fault(wire: Wire, arm: Arm) -> None:
    delay = arm(to_media("delay", Delay(latency=timedelta(milliseconds=1500))))
    others = [arm(to_media(name, dose)) for name, dose in (("twice", Duplicate(percent=HALF)), ("apart", APART))]
    others.pop().lift()
    with wire.ear() as ear:
        wire.send(packets=200, per_second=1000)
        for other in others:
            assert not other.lift().leftovers
        got = {packet.number for packet in ear.packets(2)}
    assert got == set(range(200))
    assert not delay.lift().leftovers


def test_a_fault_that_is_armed_again_beside_a_delay_outlasts_it(wire: Wire, arm: Arm) -> None:
    delay = arm(to_media("delay", Delay(latency=timedelta(milliseconds=20))))
    arm(to_media("apart", APART)).lift()
    again = arm(to_media("apart", APART))
    assert not delay.lift().leftovers
    with wire.ear() as ear:
        wire.send(packets=20, per_second=1000)
        assert not ear.packets()
    assert not again.lift().leftovers


def test_a_fault_follows_its_peers(wire: Wire, arm: Arm) -> None:
    armed = arm(NetworkEffect("test", Traffic(Direction.EGRESS, peers=("192.0.2.1",)), APART))

    def arrived() -> int:
        wire.send(packets=20, per_second=1000)
        return len(ear.packets(0.1))

    with wire.ear() as ear:
        assert arrived() == 20
        armed.follow((RECEIVER, "198.18.201.0/24", "2001:db8::1"))
        assert arrived() == 0
        armed.follow(())
        assert arrived() == 20
    with pytest.raises(EffectRefused, match="is no address"):
        armed.follow(("relay",))
    with pytest.raises(EffectRefused, match="means everyone"):
        arm(dns_failure("dns")).follow((RECEIVER,))


@pytest.mark.parametrize(
    "dose", [PacketLoss(percent=Share(1.0)), Delay(latency=timedelta(milliseconds=50)), Bandwidth(rate="100kbit")]
)
def test_on_the_nodes_network_others_are_left_alone(wire: Wire, node: Node, dose: NetworkFault) -> None:
    """As for a pod in the host's network: one of the addresses in the namespace is its own."""
    effect = NetworkEffect("test", Traffic(Direction.EGRESS), dose)
    armed = node.arm(wire.sender, effect, time.monotonic() + 10, own=("198.18.200.77",))
    with wire.ear() as ear:
        wire.send(packets=200, per_second=1000)
        assert untouched(range(200), ear.packets())
    assert armed.lift().counters[Direction.EGRESS].matched == 0
    armed = node.arm(wire.sender, effect, time.monotonic() + 10, own=(SENDER,))
    with wire.ear() as ear:
        wire.send(packets=200, per_second=1000)
        assert not untouched(range(200), ear.packets())
    assert armed.lift().counters[Direction.EGRESS].matched == 200


def test_many_hands_at_once_leave_nothing(wire: Wire, node: Node) -> None:
    def again(hand: int) -> list[str]:
        leftovers = []
        for turn in range(4):
            effect = to_media(f"hand{hand}.{turn}", DOSES[(hand + turn) % len(DOSES)])
            with suppress(TrafficClassTaken):  # where netem delays, bandwidth has to wait
                armed = node.arm(wire.sender if hand % 2 else wire.receiver, effect, time.monotonic() + 5)
                armed.refresh(time.monotonic() + 5)
                leftovers.append(str(armed.lift().leftovers))
        return leftovers

    with ThreadPoolExecutor(8) as hands:
        assert set(itertools.chain.from_iterable(hands.map(again, range(8)))) == {""}
    assert not node.sweep([wire.sender, wire.receiver])
