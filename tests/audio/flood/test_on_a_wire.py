"""Floods between two network namespaces, by a process without capabilities, counted where they arrive."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from bench.wire import DEVICE, Receiver, Wire, inside, wire
from dev.cluster import commands
from showstopper.faults.flood import sending
from tests.audio import crowd_processes
from tests.audio.crowd_processes import Ended
from tests.audio.flood import floods
from tests.audio.flood.floods import COMMAND

pytestmark = pytest.mark.netns

PORT = 7882
SO_RCVBUFFORCE, SO_TIMESTAMPNS = 33, 35  # asm-generic/socket.h
ALL_BYTES = 16 << 20
"""Of a socket for all that comes in these tests: whoever reads it may wait for a processor meanwhile."""


@pytest.fixture
def line() -> Iterator[Wire]:
    with wire() as made:
        yield made


@pytest.fixture
def receiver(line: Wire) -> Iterator[Receiver]:
    wire_receiver = Receiver(line, PORT)
    yield wire_receiver
    wire_receiver.close()


def run(line: Wire, **changes: str) -> Ended:
    return floods.run(line.powerless(COMMAND), **changes)


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + crowd_processes.PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def until_all_came(receiver: Receiver, packets: int) -> None:
    """Until so many were counted, and no more: where the kernel has no processor left, the last ones come later."""
    until(lambda: receiver.count() >= packets, f"not all of {packets} packets came")
    assert receiver.count() == packets


@pytest.mark.parametrize("rate", [1_000, 50_000])
def test_a_paced_flood_holds_its_rate_within_two_percent(rate: int, line: Wire, receiver: Receiver) -> None:
    """The best of some tries: what else the machine does in its last moments is none of the flooder's business."""
    rates = []
    for _ in range(5):
        before = receiver.count()
        report = run(line, RATE=str(rate), SECONDS="2", PACKETS="10000000").report
        assert report["ended_by"] == "Seconds"
        until_all_came(receiver, before + report["packets"])
        rates.append(report["packets"] / report["seconds"])
        if rates[-1] == pytest.approx(rate, rel=0.02):
            break
    assert rates[-1] == pytest.approx(rate, rel=0.02), rates


@pytest.mark.parametrize("shape", ["Random", "RTP", "STUN"])
@pytest.mark.parametrize(("size", "packets"), [("172", 54_321), ("1200", 12_345)])
def test_the_budget_in_packets_is_exact(shape: str, size: str, packets: int, line: Wire, receiver: Receiver) -> None:
    ended = run(line, SHAPE=shape, SIZE=size, PACKETS=str(packets), SOURCES="5")
    assert (ended.code, ended.report["ended_by"], ended.report["segmented"]) == (0, "Packets", True)
    assert ended.report["packets"] == packets
    until_all_came(receiver, packets)


def test_nothing_but_the_last_batch_can_come_after_the_absolute_end(line: Wire) -> None:
    with inside(line.far):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with udp:
        udp.bind((line.target, PORT))
        udp.settimeout(crowd_processes.PATIENCE_SECONDS)
        udp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ALL_BYTES)
        udp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        end = crowd_processes.in_seconds(2)
        process = floods.start(line.powerless(COMMAND), RATE="2000", SECONDS="30", PACKETS="1000000", END=end)
        stamps: list[float] = []
        while process.poll() is None:
            stamps += arrivals(udp)
        ended = crowd_processes.end(process)
        stamps += arrivals(udp)
    assert ended.report["ended_by"] == "End"
    assert len(stamps) == ended.report["packets"] > 0
    late = [stamp for stamp in stamps if stamp > datetime.fromisoformat(end).timestamp()]
    assert len(late) <= 64


def arrivals(udp: socket.socket) -> Iterator[float]:
    """When the kernel received what is in the socket, in Unix seconds; waits a little for the first."""
    udp.settimeout(0.2)
    try:
        while True:
            _, ancillary, *_ = udp.recvmsg(256, 64)
            seconds, nanoseconds = struct.unpack("=qq", ancillary[0][2])
            yield seconds + nanoseconds / 1e9
    except TimeoutError:
        return


def test_without_its_parent_it_stops_by_its_own_budget(line: Wire, receiver: Receiver) -> None:
    """Nobody reads its lines any more, nobody ends it: it sends what it may, and not one packet more."""
    start = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:], stdout=-1).pid, flush=True); sys.stdin.read()"
    told = floods.environment(RATE="2000", SECONDS="20", PACKETS="6000", END=crowd_processes.in_seconds(40))
    parent = subprocess.Popen(
        [sys.executable, "-c", start, *line.powerless(COMMAND)],
        env=told,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    flooder = os.pidfd_open(int(parent.stdout.readline()))
    until(lambda: receiver.count() > 0, "no packet came")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert receiver.count() < 6000
    until(lambda: receiver.count() == 6000, "the flood did not go on without its parent")
    until(lambda: has_ended(flooder), "the flooder did not end")
    assert receiver.count() == 6000
    os.close(flooder)


def has_ended(process: int) -> bool:
    """Whether the process of this descriptor is no more (pidfd_send_signal(2) with signal 0)."""
    try:
        signal.pidfd_send_signal(process, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("rate", ["1", "max"])
def test_sigterm_ends_it_within_a_tenth_of_a_second(rate: str, line: Wire, receiver: Receiver) -> None:
    """The best of some tries: what else the machine does is none of the flooder's business."""
    took = []
    for _ in range(5):
        before = receiver.count()
        process = floods.start(line.powerless(COMMAND), RATE=rate, PACKETS="1000000000", SECONDS="30")
        until(lambda before=before: receiver.count() > before, "no packet came")  # type: ignore[misc]
        process.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        assert crowd_processes.end(process).report["ended_by"] == "Terminated"
        took.append(time.monotonic() - asked)
    assert min(took) < 0.1


def test_a_counter_at_the_interface_tells_how_many_datagrams_arrived(line: Wire, receiver: Receiver) -> None:
    rules = f"""
        table netdev proof {{
            chain arrived {{
                type filter hook ingress device "{DEVICE}" priority 0;
                ip saddr {line.source} udp dport {PORT} counter
            }}
        }}
    """
    commands.run(["ip", "netns", "exec", line.far, "nft", "-f", "-"], stdin=rules)
    for rate in ("max", "5000"):
        run(line, RATE=rate, PACKETS="10007", SOURCES="3")
    until_all_came(receiver, 2 * 10_007)
    listing = json.loads(
        commands.run(["ip", "netns", "exec", line.far, "nft", "-j", "list", "table", "netdev", "proof"])
    )
    counter = next(
        part["counter"]
        for each in listing["nftables"]
        if "rule" in each
        for part in each["rule"]["expr"]
        if "counter" in part
    )
    assert counter["packets"] < 20_014, "batches are expected to pass in one piece here"
    assert sending.datagrams(counter["packets"], counter["bytes"], 172) == 20_014


def test_a_port_that_nobody_listens_on_is_flooded_all_the_same(line: Wire) -> None:
    ended = run(line, PACKETS="20000", RATE="20000")
    assert (ended.code, ended.report["packets"], ended.report["errors"]) == (0, 20_000, {})


def test_a_path_that_takes_nothing_is_reported_by_the_kernels_reason(line: Wire) -> None:
    commands.run(["ip", "-n", line.near, "addr", "del", f"{line.source}/24", "dev", DEVICE])
    ended = run(line, SECONDS="0.5")
    assert ended.code == 1
    assert (ended.report["packets"], ended.report["ended_by"]) == (0, "Seconds")
    assert ended.report["errors"].keys() == {"ENETUNREACH"}


def test_packets_too_large_for_the_path_are_refused_and_never_fragmented(line: Wire, receiver: Receiver) -> None:
    commands.run(["ip", "-n", line.near, "link", "set", DEVICE, "mtu", "600"])
    ended = run(line, SIZE="1200", SECONDS="0.5")
    assert (ended.code, ended.report["packets"], ended.report["segmented"]) == (1, 0, False)
    assert ended.report["errors"].keys() == {"EMSGSIZE"}
    assert receiver.count() == 0
    assert run(line, SIZE="572").report["packets"] == 1000
    until_all_came(receiver, 1000)
