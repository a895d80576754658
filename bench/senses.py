"""How the trials of bench/lift.py feel their faults: by packets, by cgroups, at the door, by connections, by listening.

Every sense looks at least a hundred times in the seconds that count, so that nothing felt is as sure as something felt.
"""

from __future__ import annotations

import json
import math
import selectors
import socket
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Protocol

from bench import listening
from bench.capture import entered
from bench.lifted import Touch, last_touched
from bench.streams import Place, Stream
from bench.watching import Watch
from dev.cluster import inside
from showstopper.availability.spans import Span, State

LOOK_SECONDS = 0.01
ANSWER_SECONDS = 1.0
WINDOW_SECONDS = 0.02
"""The edges of what a listener hears are that sharp."""


class Sense(Protocol):
    """Feels one fault."""

    def last(self, since: float, until: float) -> Touch | None:
        """When it was felt last in that time (unix seconds). None: not at all."""

    def looks(self, since: float, until: float) -> int:
        """How often it was looked in that time."""


class Packets:
    """Of a stream, by what came of them."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def last(self, since: float, until: float) -> Touch | None:
        """The last that was touched."""
        return last_touched(self._stream.packets(since, until))

    def looks(self, since: float, until: float) -> int:
        """Packets that were sent."""
        return len(self._stream.packets(since, until))


class Looking(Watch, ABC):
    """Looks again and again, for as long as it is open (a context manager).

    Attributes:
        pause: seconds between two looks.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: list[tuple[float, str]] = []

    pause = LOOK_SECONDS

    @abstractmethod
    def look(self) -> str:
        """What is felt now, for a person. Empty: nothing.

        Raises:
            OSError: it could not be looked.
        """

    def watch(self) -> None:
        """Look."""
        while not self.done.wait(self.pause):
            with suppress(OSError, HTTPException):  # who does not answer is asked again, and this was no look
                at = time.time()
                self._seen.append((at, self.look()))

    def last(self, since: float, until: float) -> Touch | None:
        """When it was felt last in that time."""
        return max((Touch(at, how) for at, how in self._in(since, until) if how), key=_at, default=None)

    def looks(self, since: float, until: float) -> int:
        """How often it was looked."""
        return len(self._in(since, until))

    def _in(self, since: float, until: float) -> list[tuple[float, str]]:
        return [(at, how) for at, how in tuple(self._seen) if since <= at <= until]


class Cgroups(Looking):
    """Those of a pod's containers: whether something is changed in them, by a question that is asked of each folder."""

    def __init__(self, place: Place, changed: Callable[[Path], bool], how: str) -> None:
        super().__init__()
        self._folders = inside.container_cgroups(place.uid, "*")
        self._changed, self._how = changed, how

    def look(self) -> str:
        """Ask."""
        return self._how if any(map(self._changed, self._folders)) else ""


class Door(Looking):
    """What a door answers to whoever asks for a token, all of its pods in turn."""

    pause = 2 * LOOK_SECONDS

    def __init__(self, addresses: Iterable[str], port: int, room: str) -> None:
        super().__init__()
        self._urls = [f"http://{address}:{port}/token" for address in addresses]
        self._room, self._asked = room, 0

    def look(self) -> str:
        """Ask as somebody new."""
        self._asked += 1
        person = {"room_name": self._room, "participant_identity": f"bench-{self._asked}"}
        request = urllib.request.Request(
            self._urls[self._asked % len(self._urls)],
            data=json.dumps(person).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS):
                return ""
        except urllib.error.HTTPError as error:
            with error:
                return f"the door answered {error.code}" if error.code == 503 else ""


class Connections(Looking):
    """Those that are opened to a port of a pod, which this listens at in the pod's stead."""

    def __init__(self, place: Place, port: int) -> None:
        super().__init__()
        with inside.open_pod_namespace(place.uid) as namespace, entered(namespace):
            self._listening = socket.create_server((place.address, port), backlog=512)
        self._listening.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listening, selectors.EVENT_READ)

    def look(self) -> str:
        """Take what came since the last look."""
        came = ""
        while self._selector.select(0):
            self._listening.accept()[0].close()
            came = "a connection came"
        return came

    def close(self) -> None:
        """Stop listening."""
        self._selector.close()
        self._listening.close()


class Silence:
    """What a room's listeners hear of a host who is silent, taken back to when the host was.

    Encoder, relay and player take as long to tell that a silence ends as that it begins, and it is known when the host
    began it.
    """

    def __init__(self, addresses: Sequence[str], armed: Callable[[], float]) -> None:
        """`armed` says when the host began, in unix seconds."""
        self._addresses, self._armed = addresses, armed

    def last(self, since: float, until: float) -> Touch | None:
        """When the host was silent last."""
        silent = [span for span in self._spans() if span.state is State.SILENT and span.end > self._armed()]
        if not silent:
            return None
        delay = max(0.0, min(span.start for span in silent) - self._armed())
        last = max(silent, key=lambda span: span.end)
        if last.end - delay < since:
            return None
        return Touch(min(last.end - delay, until), f"silence of {last.end - last.start:.2f} s was heard")

    def looks(self, since: float, until: float) -> int:
        """Windows in which anything was heard."""
        heard = sum(max(0.0, min(span.end, until) - max(span.start, since)) for span in self._spans())
        return math.floor(heard / WINDOW_SECONDS)

    def _spans(self) -> list[Span]:
        return [
            span
            for address in self._addresses
            for each in listening.read(address)
            for span in each.spans
            if span.state in {State.LIVE, State.SILENT}
        ]


def frozen(folder: Path) -> bool:
    """Whether a container's freezer is set, version 1 or 2."""
    return _reads(folder / "freezer.state", ("FROZEN", "FREEZING")) or _reads(folder / "cgroup.freeze", ("1",))


def throttled(folder: Path, microseconds: int) -> bool:
    """Whether a container's CPU quota is that in a tenth of a second, version 1 or 2."""
    quota = str(microseconds)
    return _reads(folder / "cpu.cfs_quota_us", (quota,)) or _reads(folder / "cpu.max", (f"{quota} 100000",))


def visited(folder: Path) -> bool:
    """Whether workers of a stress are below a container's cgroup."""
    return any(_text(procs) for procs in folder.glob(f"{inside.STRESS}*/cgroup.procs"))


def filled(folder: Path, least: int) -> bool:
    """Whether a container's cgroup has so many bytes in use, version 1 or 2."""
    text = _text(folder / "memory.usage_in_bytes") or _text(folder / "memory.current")
    return bool(text) and int(text) >= least


def _reads(file: Path, texts: Sequence[str]) -> bool:
    return _text(file) in texts


def _text(file: Path) -> str:
    with suppress(OSError):  # of another version or controller, or gone
        return file.read_text().strip()
    return ""


def _at(touch: Touch) -> float:
    return touch.at
