"""What is told of listeners while our own process stands still: nothing, and never that it was the room."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from showstopper.audio.crowd.diary import Entry, Event
from showstopper.audio.crowd.feed.settling import Settling
from showstopper.audio.crowd.refusals import Loss, Refusal
from showstopper.audio.crowd.sweep import Batch
from showstopper.audio.crowd.swept_listeners import SWEEP_SECONDS, SweptListeners
from showstopper.audio.media import PACKET_SECONDS
from showstopper.availability.spans import State
from tests.audio.crowd import rtp
from tests.audio.crowd.rtp import Packet

BEGAN = 1000.0
LAG = 5.0
BUFFER = 157
"""Packets that a socket's buffer holds; see sweep.py."""


class PlayedSweep:
    """A socket to which a relay sends packets until `ends`. What its buffer does not hold is dropped.

    As with SO_RXQ_OVFL, drops are known by the next packet that finds room.
    """

    def __init__(self) -> None:
        self.drops = self.steps = 0
        self.ends = float("inf")
        self._next = 0
        self._dropped = 0

    def read(self, _slot: int | None = None) -> Iterator[Batch]:
        came = list[Packet]()
        while (at := BEGAN + self._next * PACKET_SECONDS) < min(time.monotonic(), self.ends):
            self._next += 1
            if len(came) < BUFFER:
                self.drops = self._dropped
                came.append(Packet(0, self._next & 0xFFFF, 9, 80, at))
            else:
                self._dropped += 1
        if came:
            yield rtp.batch(came)


class Show:
    """A crowd of one who hears nothing that is known, whose time a test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = BEGAN
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        self.sweep = PlayedSweep()
        self.swept = SweptListeners(1)
        monkeypatch.setattr(self.swept, "_sweep", self.sweep)
        self.swept.diary.append(Entry(BEGAN, 0, Event.JOINED))
        self.states = list[State]()
        self._settling = Settling(self.swept, LAG, BEGAN)

    def settle(self) -> None:
        if (turn := self._settling.settle()) is not None:
            self.states += [change.state for change in turn[0]]

    def play(self, seconds: float) -> None:
        """Sweep and settle as a process does that runs."""
        for number in range(round(seconds / SWEEP_SECONDS)):
            self.now += SWEEP_SECONDS
            self.swept.sweep()
            if number % 20 == 0:
                self.settle()

    def stand_still(self, seconds: float) -> None:
        """As a process does that is not run: whatever is due comes at once afterwards, in any order."""
        self.now += seconds
        self.settle()
        self.swept.sweep()
        self.settle()


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    playing = Show(monkeypatch)
    playing.play(10.0)
    assert playing.states == [State.UNKNOWN]
    return playing


@pytest.mark.parametrize("seconds", [1.5, 5.5, 12.0, 60.0])
def test_a_stall_of_ours_is_no_dead_air_of_the_room(show: Show, seconds: float) -> None:
    show.stand_still(seconds)
    show.play(10.0)
    assert show.states == [State.UNKNOWN]


def test_dead_air_that_begins_while_we_stand_still_is_told_from_its_end_on(show: Show) -> None:
    show.sweep.ends = show.now + 2.0
    show.stand_still(12.0)
    show.play(10.0)
    assert show.states == [State.UNKNOWN, State.NO_MEDIA]


def test_who_was_lost_because_we_stood_still_is_unknown_until_it_is_in_again(show: Show) -> None:
    show.sweep.ends = show.now
    show.stand_still(17.0)
    show.play(0.3)
    show.swept.note(0, Event.LOST, Loss.SIGNALLING_CLOSED)
    show.play(0.2)
    show.swept.note(0, Event.REFUSED, Refusal.UNAVAILABLE)
    show.play(15.0)
    show.swept.note(0, Event.JOINED)
    show.sweep.ends = float("inf")
    show.play(10.0)
    assert show.states == [State.UNKNOWN]


def test_a_try_that_ends_before_the_stall_in_it_is_known_is_unknown(show: Show) -> None:
    """What is due after a stall comes at once: a time-out before the sweep, and the feed before it, too."""
    show.sweep.ends = show.now
    show.swept.note(0, Event.LOST, Loss.TOLD_TO_LEAVE)
    show.play(8.0)
    show.now += 6.0
    show.swept.note(0, Event.REFUSED, Refusal.TIMED_OUT)
    show.settle()
    show.swept.sweep()
    show.play(8.0)
    assert show.states == [State.UNKNOWN, State.JOINING, State.UNKNOWN]


def test_what_our_kernel_dropped_is_told_with_its_time_and_once(show: Show) -> None:
    began = show.now
    show.stand_still(12.0)
    show.play(10.0)
    ((at, packets),) = show.swept.dropped
    assert began + 12.0 <= at <= began + 12.0 + 2 * SWEEP_SECONDS
    assert packets == show.swept.drops > 0
