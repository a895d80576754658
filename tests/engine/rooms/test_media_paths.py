"""Media paths: which relays serve, by residents whose packets are fresh."""

from typing import Any

import pytest

from showstopper.availability.spans import Kind, Span, State
from showstopper.availability.timeline import Timeline
from showstopper.engine.rooms import media_paths
from tests.availability.build import EPOCH, feed, sample_json, timeline

NOW = 50.0


def heard(*samples: dict[str, Any]) -> Timeline:
    """What one pod told of listeners who are in."""
    still = [
        Span(sample["listener"], Kind(sample["kind"]), State.LIVE, EPOCH, EPOCH + NOW, 0.0, 0.0) for sample in samples
    ]
    return timeline(feed(still=still, clock=NOW, listeners=samples))


def sample(listener: str, **figures: Any) -> dict[str, Any]:
    return sample_json(listener, NOW, **figures)


def test_residents_are_counted_by_the_address_that_serves_them() -> None:
    elsewhere = {"address": "198.18.1.8", "port": 7882}
    room = heard(sample("0"), sample("1"), sample("2", relay=elsewhere))
    assert media_paths.serving(room, EPOCH + NOW) == {("198.18.1.7", 7882): 2, ("198.18.1.8", 7882): 1}
    assert set(media_paths.of_residents(room, EPOCH + NOW)) == {("198.18.1.7", 7882), ("198.18.1.8", 7882)}


@pytest.mark.parametrize(
    "figures",
    [{"kind": "Arrival"}, {"relay": None}, {"lastPacketAt": None}, {"lastPacketAt": NOW - media_paths.FRESH_SECONDS}],
)
def test_who_gets_no_media_now_or_does_not_stay_tells_nothing(figures: dict[str, Any]) -> None:
    assert media_paths.serving(heard(sample("0", **figures)), EPOCH + NOW) == {}


def test_an_old_look_is_none() -> None:
    assert media_paths.serving(heard(sample("0")), EPOCH + NOW + media_paths.FRESH_SECONDS) == {}
