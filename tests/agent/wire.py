"""Two network namespaces with a wire between them, and what a receiver on it got, by the kernel's own stamps."""

import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from showstopper.agent.kernel.namespaces import Namespace
from tests.agent import machine, noise
from tests.agent.traffic import STAMP, Sending

SENDER, RECEIVER = "198.18.200.1", "198.18.200.2"
MEDIA = 5004
_TIMESTAMPS = 35  # SO_TIMESTAMPNS


@dataclass(frozen=True)
class Packet:
    """A packet as it arrived: its number, seconds on its way, Unix seconds of its coming, and its payload."""

    number: int
    took: float
    at: float
    payload: bytes

    @property
    def sent(self) -> float:
        """Unix seconds of its sending."""
        return self.at - self.took


class Ear:
    """A socket in the receiving namespace, read when all is over."""

    def __init__(self, namespace: Namespace, port: int, address: str = RECEIVER) -> None:
        self._socket = namespace.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._socket.setsockopt(socket.SOL_SOCKET, 33, 256 << 20)  # SO_RCVBUFFORCE
        self._socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMPS, 1)
        self._socket.bind((address, port))

    def packets(self, until_quiet: float = 0.3) -> list[Packet]:
        """All that came, in that order, once nothing has come for a while."""
        self._socket.settimeout(until_quiet)
        packets: list[Packet] = []
        while True:
            try:
                data, ancillary, _, _ = self._socket.recvmsg(2048, 64)
            except TimeoutError:
                return packets
            seconds, nanoseconds = struct.unpack("=qq", ancillary[0][2])
            at = seconds * 10**9 + nanoseconds
            sent = int.from_bytes(data[8:STAMP], "big")
            packets.append(Packet(int.from_bytes(data[:8], "big"), (at - sent) / 1e9, at / 1e9, data))

    def live(self, until_quiet: float = 1.0) -> list[Packet]:
        """All that comes, read as it comes, until nothing has come for a while.

        `at` is when we got them, not when the kernel did: its stamps are of before the queues at ingress.
        """
        self._socket.settimeout(until_quiet)
        packets: list[Packet] = []
        with noise.urgent(), suppress(TimeoutError):
            while True:
                data = self._socket.recv(2048)
                at = time.time_ns()
                sent = int.from_bytes(data[8:STAMP], "big")
                packets.append(Packet(int.from_bytes(data[:8], "big"), (at - sent) / 1e9, at / 1e9, data))
        return packets

    def close(self) -> None:
        """Close it."""
        self._socket.close()


@dataclass(frozen=True)
class Wire:
    """The two namespaces, bound by name."""

    sender: Path
    receiver: Path

    @contextmanager
    def ear(self, port: int = MEDIA, address: str = RECEIVER) -> Iterator[Ear]:
        """A receiver of packets to a port."""
        with Namespace.at(self.receiver) as there:
            ear = Ear(there, port, address)
        try:
            yield ear
        finally:
            ear.close()

    @contextmanager
    def sending(
        self,
        *,
        packets: int,
        per_second: int,
        port: int = MEDIA,
        size: int = 172,
        source: int = 6004,
        address: str = RECEIVER,
    ) -> "Iterator[subprocess.Popen[str]]":
        """A sender as a process, until it has sent all; no faster than this machine can."""
        wish = {"address": address, "port": port, "packets": packets}
        wish |= {"per_second": machine.pace(per_second), "size": size, "source": source}
        inside = ["ip", "netns", "exec", self.sender.name]
        arguments = [*inside, sys.executable, "-m", "tests.agent.traffic", json.dumps(wish)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def send(self, *, address: str = RECEIVER, **what: int) -> Sending:
        """Send what `sending` takes, and wait for the end."""
        with self.sending(**what, address=address) as process:
            output, _ = process.communicate(timeout=120)
        return Sending(**json.loads(output))

    @contextmanager
    def beside(self, device: str, sender: str, receiver: str) -> Iterator[None]:
        """A second wire between the two, with these addresses, for the time of the block."""
        ends = (self.sender.name, sender), (self.receiver.name, receiver)
        pair = ["type", "veth", "peer", "name", device, "netns", self.receiver.name]
        _run("ip", "-n", self.sender.name, "link", "add", device, *pair)
        for namespace, address in ends:
            _run("ip", "-n", namespace, "addr", "add", f"{address}/24", "dev", device)
            _run("ip", "-n", namespace, "link", "set", device, "up")
        try:
            yield
        finally:
            _run("ip", "-n", self.sender.name, "link", "del", device)

    def route(self, namespace: Path, gateway: str) -> None:
        """Have everything that is elsewhere go by a gateway."""
        _run("ip", "-n", namespace.name, "route", "replace", "default", "via", gateway)

    @contextmanager
    def bridged(self, address: str) -> Iterator[None]:
        """What the sender sends to this address meanwhile goes over the wire with somebody else's MAC address.

        So do bridges what they do not know the port of: every pod gets it, and its kernel drops it.
        """
        neighbour = [address, "dev", "eth0", "lladdr", "02:00:5e:00:53:01"]
        _run("ip", "-n", self.sender.name, "neigh", "add", *neighbour)
        try:
            yield
        finally:
            _run("ip", "-n", self.sender.name, "neigh", "del", *neighbour)

    def forget_gates(self) -> int:
        """Delete the gates that stay at the sender's end until its network goes; how many there were."""
        listed = json.loads(_in(self.sender, "nft", "-j", "list", "tables"))["nftables"]
        gates = [entry["table"]["name"] for entry in listed if "table" in entry and "_gate-" in entry["table"]["name"]]
        for gate in gates:
            _in(self.sender, "nft", "delete", "table", "netdev", gate)
        return len(gates)

    def state(self) -> dict[str, str]:
        """All rules and qdiscs at both ends, but for their counters; two equal states: nothing was left."""
        return {
            f"{path.name[:9]} {what}": re.sub(r"direct_packets_stat \d+", "", _in(path, *command))
            for path in (self.sender, self.receiver)
            for what, command in {
                "rules": ("nft", "--stateless", "list", "ruleset"),
                "qdiscs": ("tc", "qdisc"),
            }.items()
        } | {f"{path.name[:9]} devices": _devices(path) for path in (self.sender, self.receiver)}


@contextmanager
def made() -> Iterator[Wire]:
    """A wire of its own for the time of the block."""
    names = [f"tests-{end}-{os.getpid()}-{time.monotonic_ns() % 10**6}" for end in ("a", "b")]
    try:
        for name in names:
            _run("ip", "netns", "add", name)
        pair = ["type", "veth", "peer", "name", "eth0", "netns", names[1]]
        _run("ip", "-n", names[0], "link", "add", "eth0", *pair)
        for name, address in zip(names, (SENDER, RECEIVER), strict=True):
            _run("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            _run("ip", "-n", name, "link", "set", "lo", "up")
            _run("ip", "-n", name, "link", "set", "eth0", "up")
        yield Wire(*(Path("/run/netns", name) for name in names))
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False)


def _in(namespace: Path, *command: str) -> str:
    return _run("ip", "netns", "exec", namespace.name, *command)


def _devices(namespace: Path) -> str:
    """Names alone: a device's state is the wire's own business."""
    links = json.loads(_run("ip", "-json", "-n", namespace.name, "link"))
    return " ".join(sorted(link["ifname"] for link in links))


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
