from typing import Any

import pytest

from bench.listening import heard
from showstopper.availability.spans import State, Window


def span(state: str, start: float, end: float, **more: Any) -> dict[str, Any]:
    return {"listener": "pod/0", "kind": "Resident", "state": state, "from": start, "to": end} | more


def feed(spans: list[dict[str, Any]], tail: dict[str, Any]) -> dict[str, Any]:
    resident = {
        "listener": "pod/0",
        "kind": "Resident",
        "relay": {"address": "198.18.1.7", "port": 7882},
        "concealedSamples": 4800,
        "sampledAt": 130.0,
    }
    return {
        "boot": "b",
        "room": "r",
        "pod": "pod",
        "clock": {"monotonic": 130.0, "wall": 1130.0},
        "next": len(spans),
        "spans": [each | {"sequence": number} for number, each in enumerate(spans, start=1)],
        "open": [tail],
        "listeners": [resident, resident | {"listener": "pod/a1", "kind": "Arrival"}],
        "arrivals": [],
    }


CUT = feed(
    [
        span("Live", 100, 110),
        span("NoMedia", 110, 112, missingSeconds=2.2),
        span("Offline", 112, 117, missingSeconds=5),
    ],
    span("Live", 117, 129),
)


def test_residents_are_read_on_the_wall_clock() -> None:
    (listener,) = heard(CUT)
    assert listener.listener == "pod/0"
    assert listener.relay == "198.18.1.7"
    assert listener.concealed_seconds == pytest.approx(0.1)
    assert (listener.spans[0].start, listener.known_until) == (1100, 1129)


def test_its_outages_are_the_operator_s() -> None:
    (listener,) = heard(CUT)
    (outage,) = listener.outages(Window(1105, 1129))
    assert (outage.start, outage.end, outage.dead_air) == (1110, 1117, 7)
    assert outage.missing == pytest.approx(7.2)


def test_it_is_live_since_the_outage_ended() -> None:
    (listener,) = heard(CUT)
    assert listener.live_since == 1117


def test_it_is_not_live_while_it_hears_nothing() -> None:
    (listener,) = heard(feed([span("Live", 100, 110)], span("NoMedia", 110, 112)))
    assert listener.live_since is None
    assert listener.spans[-1].state is State.NO_MEDIA


def test_an_open_span_that_was_closed_meanwhile_counts_once() -> None:
    (listener,) = heard(feed([span("Live", 100, 110)], span("Live", 100, 112)))
    assert [(each.start, each.end) for each in listener.spans] == [(1100, 1110), (1110, 1112)]
    assert listener.live_since == 1100


def test_what_it_could_not_see_is_unknown() -> None:
    (listener,) = heard(feed([span("Live", 100, 110)], span("Live", 111, 112)))
    assert listener.unknown(Window(1105, 1112)) == pytest.approx(1.0)
