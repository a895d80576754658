"""A stage on loopback for tests: real LiveKit relays, and a real Redis when there is more than one."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pyroute2 import netns

from dev.cluster import builds

KEY = "devkey"
SECRET = "secretsecretsecretsecretsecretsecret"
SECONDS_TO_START = 60.0

BREAKING_BYTES = 400
"""The WebSocket's greeting, and the beginning of the answer to a join."""


class StageError(RuntimeError):
    """The stage cannot be set up: says what is missing and how to get it."""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of 127.0.0.1 that nobody uses now, below the range that the kernel gives to outgoing connections."""
    for port in random.sample(range(20_000, 32_000), 200):
        with socket.socket(socket.AF_INET, kind) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise StageError("no free port between 20000 and 32000")


@dataclass
class Relay:
    """One LiveKit server process."""

    name: str
    folder: Path
    redis_port: int | None
    signal_port: int = field(default_factory=free_port)
    tcp_port: int = field(default_factory=free_port)
    media_port: int = field(default_factory=lambda: free_port(socket.SOCK_DGRAM))
    process: subprocess.Popen[bytes] | None = None
    before: tuple[str, ...] = ()
    """What is put before the server's command, such as taskset."""

    log_level: str = "info"

    @property
    def url(self) -> str:
        """Where clients join."""
        return f"ws://127.0.0.1:{self.signal_port}"

    @property
    def log(self) -> Path:
        """What it has said."""
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start the server (again) and wait until it answers."""
        config = [
            f"port: {self.signal_port}",
            "bind_addresses: [127.0.0.1]",
            f"rtc: {{udp_port: {self.media_port}, tcp_port: {self.tcp_port}, use_external_ip: false, "
            "node_ip: 127.0.0.1, enable_loopback_candidate: true, interfaces: {includes: [lo]}, "
            # Without servers of its own LiveKit tells clients to ask public STUN servers by name.
            'stun_servers: ["127.0.0.1:3478"]}',
            f"keys: {{{KEY}: {SECRET}}}",
            "room: {auto_create: true, empty_timeout: 300, departure_timeout: 20}",
            f"logging: {{level: {self.log_level}}}",
        ]
        if self.redis_port is not None:
            config.append(f'redis: {{address: "127.0.0.1:{self.redis_port}"}}')
        path = self.folder / f"{self.name}.yaml"
        path.write_text("\n".join(config) + "\n")
        # By its key: the cache also has relays that are broken on purpose (e2e/relays), and they have the same name.
        server = builds.ensure(builds.LIVEKIT)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([*self.before, server, "--config", path], stdout=log, stderr=log)
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline:
            with contextlib.suppress(urllib.error.URLError, OSError):
                if urllib.request.urlopen(f"http://127.0.0.1:{self.signal_port}/", timeout=1).status == 200:
                    return
            if self.process is None or self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise StageError(f"{self.name} did not start; its log ends so: {self.log.read_text()[-2000:]}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Door:
    """One address for all relays, as a Service gives: each new connection goes to the next relay that takes it.

    A relay's death closes the connections that ran through it. Of the next `breaking` connections each breaks off after
    the first `BREAKING_BYTES` of the relay's answer, in the middle of a join.
    """

    breaking = 0

    def __init__(self, relays: list[Relay]) -> None:
        self._relays = itertools.cycle(relays)
        self._count = len(relays)
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._port = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        """Where clients join."""
        return f"ws://127.0.0.1:{self._port}"

    def open(self) -> None:
        """Let clients in."""
        self._thread.start()
        assert self._started.wait(10)

    def close(self) -> None:
        """Close, with every connection."""
        if self._thread.ident is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def _run(self) -> None:
        server = self._loop.run_until_complete(asyncio.start_server(self._through, "127.0.0.1", 0))
        self._port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for relay in itertools.islice(self._relays, self._count):
            if relay.process is None:
                continue
            with contextlib.suppress(OSError):
                inner = await asyncio.open_connection("127.0.0.1", relay.signal_port)
                self.breaking, limit = max(0, self.breaking - 1), BREAKING_BYTES if self.breaking else None
                await asyncio.gather(_copy(reader, inner[1]), _copy(inner[0], writer, limit))
                return
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None = None) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536 if limit is None else limit):
            writer.write(data)
            await writer.drain()
            limit = None if limit is None else limit - len(data)
    writer.close()


@dataclass
class Stage:
    """Some relays, their store, and the door to them."""

    relays: list[Relay]
    redis: subprocess.Popen[bytes] | None
    door: Door

    def words(self) -> str:
        """The ends of the relays' logs."""
        logs = [relay.log for relay in self.relays]
        return "\n".join(f"--- {log}\n{log.read_text(errors='replace')[-20_000:]}" for log in logs if log.exists())

    def relay_at(self, media_port: int) -> Relay:
        """The relay whose media port a listener's statistics name."""
        return next(relay for relay in self.relays if relay.media_port == media_port)


@contextlib.contextmanager
def own_network() -> Iterator[None]:
    """This process, and whatever it starts, in a network of its own: what a client offers as its addresses, and what is
    filtered on their way, is then the same on every machine. Needs root. Without it, it is the machine's network.
    """
    if os.geteuid() != 0:
        yield
        return
    name = f"showstopper-loopback-{os.getpid()}"
    netns.create(name)
    try:
        netns.pushns(name)
        try:
            lines = [
                "link set lo up",
                # A client never offers loopback: it takes an address of another device, and the kernel's short way.
                "link add client0 type veth peer name client1",
                "addr add 198.18.250.1/24 dev client0",
                "link set client0 up",
                "link set client1 up",
                "route add default via 198.18.250.2",
            ]
            subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)
            yield
        finally:
            netns.popns()
    finally:
        netns.remove(name)


@contextlib.contextmanager
def stage(folder: Path, count: int) -> Iterator[Stage]:
    """`count` relays on loopback. More than one share a Redis. All are gone afterwards."""
    redis, port = None, None
    if count > 1:
        if shutil.which("redis-server") is None:
            raise StageError("redis-server is not installed; `apt-get install redis-server` brings it")
        port = free_port()
        redis = subprocess.Popen(
            ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL,
            cwd=folder,
        )
    relays = [Relay(f"relay-{index}", folder, port) for index in range(count)]
    door = Door(relays)
    try:
        for relay in relays:
            relay.start()
        door.open()
        yield Stage(relays, redis, door)
    finally:
        door.close()
        for relay in relays:
            relay.kill()
        if redis is not None:
            redis.kill()
            redis.wait()
