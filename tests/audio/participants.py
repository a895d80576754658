"""Hosts and listeners of ours as real processes on a stage on loopback, and what their feeds say."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.relays import KEY, SECRET, Stage, free_port

DEADLINE = 90.0
_rooms = itertools.count(1)


@dataclass
class Participant:
    """One process of ours."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def get(self, path: str) -> Any:
        """The JSON that it serves there; None while it serves nothing."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return json.load(answer)
        except (OSError, json.JSONDecodeError):
            return None

    def spans(self, listener: str = "") -> list[dict[str, Any]]:
        """All its spans in order, those that go on too; of one listener, if one is named."""
        said = self.get("/v1/spans?after=0") or {"spans": [], "open": []}
        chosen = [span for span in said["spans"] + said["open"] if span["listener"].endswith(listener)]
        return sorted(chosen, key=lambda span: (span["listener"], span["from"]))

    def words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:]


@dataclass
class Participants:
    """Hosts and listeners in one room."""

    stage: Stage
    folder: Path
    room: str
    members: list[Participant] = field(default_factory=list)

    @classmethod
    @contextlib.contextmanager
    def gathered(cls, stage: Stage, folder: Path) -> Iterator[Participants]:
        """In a room that nobody used before."""
        participants = cls(stage, folder, f"room-{next(_rooms)}")
        try:
            yield participants
        finally:
            for member in participants.members:
                member.process.kill()
                member.process.wait()

    def start(self, role: str, *, module: str = "", **settings: str) -> Participant:
        """Start the process of a `host`, a `listener`, a `door` or a `crowd`, or another module."""
        member = Participant(subprocess.Popen(["true"]), free_port(), self.folder / f"{role}-{len(self.members)}.log")
        member.process.wait()
        environment = os.environ | {
            "SHOWSTOPPER_ROOM": "main-stage",
            "SHOWSTOPPER_PORT": str(member.port),
            "SHOWSTOPPER_POD": "main-stage-listeners-0",
            "LIVEKIT_URL": self.stage.door.url,
            "LIVEKIT_ROOM": self.room,
            "LIVEKIT_API_KEY": KEY,
            "LIVEKIT_API_SECRET": SECRET,
        }
        with member.log.open("wb") as log:
            member.process = subprocess.Popen(
                [sys.executable, "-m", module or f"showstopper.audio.{role}.process"],
                env=environment | settings,
                stdout=log,
                stderr=log,
            )
        self.members.append(member)
        return member

    def until(self, what: str, holds: Callable[[], Any]) -> Any:
        """Wait until it holds, and give what it gave."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            if result := holds():
                return result
            time.sleep(0.1)
        raise AssertionError(f"not within {DEADLINE:g} s: {what}\n{self.words()}")

    def words(self) -> str:
        """The ends of its members' logs, and what they say: hosts of their time on stage, listeners of theirs."""
        told = []
        for member in self.members:
            told.append(f"--- {member.log.name}\n{member.words()}")
            if member.log.name.startswith("host"):
                told.append(f"it says: {member.get('/v1/host')}")
            if member.log.name.startswith("listener"):
                told += [f"{span['listener']} {span['state']} {span['from']} {span['to']}" for span in member.spans()]
        return "\n".join(told)


def live_now(member: Participant, count: int, seconds: float = 2.0) -> bool:
    """Whether that many residents hear the host live since some seconds."""
    said = member.get("/v1/spans?after=0") or {"open": []}
    live = [
        span
        for span in said["open"]
        if span["kind"] == "Resident" and span["state"] == "Live" and span["to"] - span["from"] > seconds
    ]
    return len(live) == count


def outages(spans: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The gaps of one listener in which more is known than that it stood still itself, as on a busy machine."""
    return [gap for gap in gaps(spans) if any(span["state"] != "Unknown" for span in gap)]


def gaps(spans: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The stretches of spans between two live ones, of one listener's spans."""
    runs = [(live, list(run)) for live, run in itertools.groupby(spans, key=lambda span: span["state"] == "Live")]
    return [run for index, (live, run) in enumerate(runs) if not live and 0 < index < len(runs) - 1]


def seconds(outage: list[dict[str, Any]]) -> float:
    """From where the sound went to where it was back."""
    return float(outage[-1]["to"] - outage[0]["from"])
