"""How true the kernel's time stamps are when thousands of sockets are read late: for bench/crowd.py.

A sender on another core puts the time into the packets, 50 a second for each socket, and a sweep reads them as a
crowd's does. Prints one line of JSON. The sender is `python -m bench.stamps send SECONDS`, with ports on its input.
"""

from __future__ import annotations

import json
import resource
import socket
import struct
import subprocess
import sys
import time
from contextlib import ExitStack

import numpy as np

from bench.report import percentile
from showstopper.audio.crowd import datagram_socket
from showstopper.audio.crowd.packets import Floats
from showstopper.audio.crowd.sweep import Batch, Sweep
from showstopper.audio.crowd.swept_listeners import SWEEP_SECONDS
from showstopper.audio.crowd.timestamps import Reading
from showstopper.audio.media import PACKET_SECONDS

LAST_SECONDS = 1.0
"""How long the sweep goes on after the sender has ended."""

_WRAP = 1 << 32
_AUDIO = bytes(70)


def send(seconds: float, ports: list[int]) -> int:
    """Send to all ports at the pace of sound. The SSRC is the time in microseconds. Returns the packets sent."""
    sent = number = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        due = time.monotonic()
        end = due + seconds
        while due < end:
            for port in ports:
                stamp = time.time_ns() // 1000 % _WRAP
                packet = struct.pack(">BBHII", 128, 111, number & 0xFFFF, 0, stamp) + _AUDIO
                sender.sendto(packet, ("127.0.0.1", port))
            sent += len(ports)
            number += 1
            due += PACKET_SECONDS
            time.sleep(max(0.0, due - time.monotonic()))
    return sent


def errors(batch: Batch, offset: int) -> Floats:
    """Seconds from the sending of each packet to its time stamp. `offset` is wall minus monotonic, in nanoseconds."""
    wall = (batch.packets.at * 1e9 + offset) / 1000
    return np.asarray(((wall - batch.packets.ssrc + _WRAP / 2) % _WRAP - _WRAP / 2) / 1e6)


def measure(count: int, seconds: float, sender_core: int) -> dict[str, float | int | None]:
    """Receive on that many sockets."""
    late: list[Floats] = []
    with ExitStack() as stack:
        sockets = [stack.enter_context(datagram_socket.open_beside("127.0.0.1")) for _ in range(count)]
        sweep = Sweep()
        for slot, each in enumerate(sockets):
            sweep.add(slot, each.fileno())
        command = ["taskset", "-c", str(sender_core), sys.executable, "-m", "bench.stamps", "send", str(seconds)]
        sender = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert sender.stdin is not None
        sender.stdin.write(" ".join(str(each.getsockname()[1]) for each in sockets) + "\n")
        sender.stdin.flush()
        cpu, began = time.process_time(), time.monotonic()
        ended: float | None = None
        while ended is None or time.monotonic() - ended < LAST_SECONDS:
            if ended is None and sender.poll() is not None:
                ended = time.monotonic()
            late += [errors(batch, Reading.now().offset) for batch in sweep.read() if len(batch.packets)]
            time.sleep(SWEEP_SECONDS)
        used, lasted = time.process_time() - cpu, time.monotonic() - began
        sent = int(sender.communicate()[0])
    all_late = np.concatenate(late)
    return {
        "sockets": count,
        "sent": sent,
        "received": len(all_late),
        "drops": sweep.drops,
        "stamp_error_p50_ms": _milliseconds(percentile(all_late, 0.5)),
        "stamp_error_p999_ms": _milliseconds(percentile(all_late, 0.999)),
        "cpu_percent": used / lasted * 100,
    }


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(float(seconds) * 1000, 4)


def main(arguments: list[str]) -> None:
    """`send SECONDS`, or `SOCKETS SECONDS SENDER_CORE`."""
    if arguments[0] == "send":
        print(send(float(arguments[1]), [int(port) for port in sys.stdin.readline().split()]))
        return
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(json.dumps(measure(int(arguments[0]), float(arguments[1]), int(arguments[2]))))


if __name__ == "__main__":
    main(sys.argv[1:])
