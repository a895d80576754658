"""The generators of packets that a benchmark compares: how they are started on a wire, and what arrives of each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.wire import DEVICE, MACS, Receiver, Wire
from dev.cluster import errors
from showstopper.api.schema.shapes import Shape
from showstopper.faults import task
from showstopper.faults.endpoint import Endpoint
from showstopper.faults.flood import settings
from showstopper.faults.flood.sending import Flood, SendPackets

PORT = 7882
OURS, TRAFGEN, HPING = "showstopper", "trafgen", "hping3"
WARM_SECONDS = 0.3
START_SECONDS = 10.0
"""How long a generator may take until its first packet arrives."""
_MOST_PACKETS = 1_000_000_000
_ON_ONE_CORE = ("taskset", "--cpu-list", "0")


@dataclass(frozen=True, slots=True)
class Generator:
    """One program with packets of one size."""

    name: str
    size: int


class Course:
    """Where generators run, one after the other."""

    def __init__(self, line: Wire, receiver: Receiver, folder: Path, seconds: float) -> None:
        self._line, self._receiver, self._folder, self._seconds = line, receiver, folder, seconds

    def fastest(self, generator: Generator) -> float:
        """Packets a second that arrive while it sends as fast as it can."""
        with self._running(self._command(generator), self._seconds + WARM_SECONDS):
            time.sleep(WARM_SECONDS)
            before, began = self._receiver.count(), time.monotonic()
            time.sleep(self._seconds)
            after, ended = self._receiver.count(), time.monotonic()
        return (after - before) / (ended - began)

    def paced(self, size: int, rate: int) -> float:
        """By how much the rate that arrives differs from what was asked, as a part of it."""
        before, began = self._receiver.count(), time.monotonic()
        with self._process(self._flooder(size, rate, self._seconds)) as process:
            process.wait()
        came, took = self._receiver.count() - before, time.monotonic() - began
        if not came or took < self._seconds:
            raise errors.ClusterError(f"the flood of {rate} packets/s ended with code {process.returncode}")
        return came / (rate * self._seconds) - 1

    @contextmanager
    def _running(self, command: Sequence[str], seconds: float) -> Iterator[None]:
        """A generator that sends: packets of it have arrived."""
        before = self._receiver.count()
        with self._process(self._bounded(command, seconds + START_SECONDS)) as process:
            deadline = time.monotonic() + START_SECONDS
            while self._receiver.count() == before:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise errors.ClusterError(f"no packet came from: {' '.join(command)}")
                time.sleep(0.01)
            yield
            if process.poll() is not None:
                raise errors.ClusterError(f"it ended too early to be measured: {' '.join(command)}")

    @contextmanager
    def _process(self, command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        """A process in a group of its own. Nothing of the group is left (trafgen has children)."""
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):  # all of it ended by itself
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _bounded(self, command: Sequence[str], seconds: float) -> list[str]:
        return ["timeout", "--signal=KILL", f"{seconds:.1f}", *command]

    def _command(self, generator: Generator) -> list[str]:
        if generator.name == TRAFGEN:
            return self._line.at_near([*_ON_ONE_CORE, *self._trafgen(generator.size)])
        if generator.name == HPING:
            options = f"--udp --flood --destport {PORT} --data {generator.size}"
            return self._line.at_near([*_ON_ONE_CORE, HPING, *options.split(), self._line.target])
        return self._flooder(generator.size, None, self._seconds + WARM_SECONDS + START_SECONDS)

    def _trafgen(self, size: int) -> list[str]:
        packets = self._folder / f"{size}.trafgen"
        packets.write_text(trafgen_packet(self._line, size))
        return [TRAFGEN, "--dev", DEVICE, "--conf", str(packets), "--cpus", "1", "--no-cpu-stats"]

    def _flooder(self, size: int, rate: int | None, seconds: float) -> list[str]:
        """Our flooder without any capability, as in its pod. Its settings are those that the operator gives it."""
        duration = timedelta(seconds=seconds)
        flood = Flood(Shape.RTP, size, rate, 1, duration, _MOST_PACKETS)
        end = datetime.now(UTC) + duration + timedelta(seconds=START_SECONDS)
        environment = settings.environment(SendPackets((Endpoint(self._line.target, PORT),), flood, _MOST_PACKETS, end))
        del environment[settings.REPORT]
        environment[settings.GATE] = task.NO_GATE
        command = [sys.executable, "-m", "showstopper.audio.flood.flooder"]
        variables = [f"{name}={value}" for name, value in environment.items()]
        return self._line.powerless(["env", *variables, *_ON_ONE_CORE, *command])


def trafgen_packet(line: Wire, size: int) -> str:
    """A packet as trafgen's configuration has it: what our flooder's looks like on the wire, with a fixed payload."""
    source, target = MACS
    return (
        f"{{ eth(da={target}, sa={source}), ipv4(saddr={line.source}, daddr={line.target}, ttl=64), "
        f"udp(sport=40000, dport={PORT}), fill(0x42, {size}) }}\n"
    )
