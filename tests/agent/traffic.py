"""Traffic of the tests: a sender as a process of its own, at a steady pace; its last line is what it saw.

It loads the standard library only, for it is started often, also on slow machines.
"""

import json
import socket
import sys
import time
from dataclasses import dataclass

STAMP = 16
"""Bytes of sequence number and Unix nanoseconds at the start of every payload."""


@dataclass(frozen=True)
class Sending:
    """What a sender did, and what it was told."""

    sent: int
    errors: list[str]


def send(to: tuple[str, int], *, packets: int, per_second: int, size: int, source: int) -> Sending:
    """Send numbered and stamped packets, a millisecond's worth at a time."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind(("", source))
    opened.setsockopt(socket.SOL_SOCKET, 32, 4 << 20)  # SO_SNDBUFFORCE
    filling = bytes(range(256)) * (size // 256 + 1)
    errors: list[str] = []
    begin = time.monotonic()
    number = 0
    while number < packets:
        due = min(packets, int((time.monotonic() - begin) * per_second) + 1)
        while number < due:
            stamp = number.to_bytes(8, "big") + time.time_ns().to_bytes(8, "big")
            try:
                opened.sendto(stamp + filling[STAMP:size], to)
            except OSError as error:
                errors.append(str(error))
            number += 1
        time.sleep(max(0.001, begin + number / per_second - time.monotonic()))
    return Sending(number, errors)


def main() -> None:
    """Send what the arguments say."""
    wish = json.loads(sys.argv[1])
    told = send((wish.pop("address"), wish.pop("port")), **wish)
    sys.stdout.write(json.dumps({"sent": told.sent, "errors": told.errors[:5]}))


if __name__ == "__main__":
    main()
