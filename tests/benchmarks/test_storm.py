"""The arithmetic of `make bench-storm`."""

from typing import Any

import pytest

from bench import relay_record, storm
from bench.relay_record import ACTIVE, STARTED
from bench.storm import Step


def played(rate: float, let_in: int, p95: float = 0.02, *, as_asked: bool = True, miscounted: int = 0) -> Step:
    """A storm of six seconds."""
    visitors = round(rate * 6)
    said: dict[str, Any] = {
        "visitors": visitors,
        "let_in": let_in,
        "is_as_asked": as_asked,
        "seconds": 6.0,
        "upgraded": {"p50": 0.01, "p95": p95},
        "connected": {"p50": 0.02, "p95": 0.05},
        "first_packet": {"p50": 0.2, "p95": 0.3},
        "own_ms_per_join": 1.234,
        "own_busy_percent": 12.3,
    }
    return Step(rate, said, miscounted)


@pytest.mark.parametrize(
    ("step", "borne"),
    [
        (played(100, 600), True),
        (played(100, 599), False),
        (played(100, 600, p95=1.2), False),
        (played(100, 600, as_asked=False), False),
    ],
)
def test_a_rate_is_borne_where_everybody_gets_in_and_is_answered_soon(step: Step, borne: bool) -> None:
    assert step.borne is borne


def test_the_fastest_that_is_borne_counts_and_the_first_that_is_not_stands_beside_it() -> None:
    steps = [played(100, 600), played(120, 720, miscounted=2), played(150, 450, miscounted=5)]
    results = storm.figures({"full_hidden": steps, "full_visible": [played(40, 0)]}, played(40, 0, miscounted=1))
    assert results["joins_per_second_per_core"] == results["full_hidden_joins_per_second"] == 120.0
    assert results["ratio_to_lk_load_test"] == 12.0
    assert (results["miscounted"], results["miscounted_in_overload"]) == (3, 5)
    assert (results["full_hidden_answer_p50_ms"], results["full_hidden_answer_p95_ms"]) == (10.0, 20.0)
    assert (results["full_hidden_not_borne_at"], results["full_hidden_not_borne_refused_percent"]) == (150, 50.0)
    assert results["full_visible_joins_per_second"] is None
    assert results["wrong_key_refused_at_first_percent"] == 100.0
    storm.show({"full_hidden": steps})


def test_without_a_rate_that_is_borne_there_is_no_figure() -> None:
    results = storm.figures({"full_hidden": [played(40, 3)]}, played(40, 0))
    assert (results["joins_per_second_per_core"], results["ratio_to_lk_load_test"]) == (None, None)


def line(what: str, identity: str) -> str:
    """As LiveKit 1.13.5 writes it, shortened."""
    return (
        f"2026-11-29T06:50:38.809Z\tINFO\tlivekit\trtc/room.go:1272\t{what}\t"
        f'{{"room": "x", "roomID": "RM_1", "participant": "{identity}", "participantID": "PA_1"}}'
    )


def test_who_joined_is_read_from_the_relays_log() -> None:
    lines = [
        line(STARTED, "storm-1a/0"),
        line(STARTED, "storm-1a/1"),
        line(ACTIVE, "storm-1a/0"),
        line(ACTIVE, "host"),
        line("participant closing", "storm-1a/1"),
    ]
    assert relay_record.joined(lines, ACTIVE, "storm-") == {"storm-1a/0"}
    assert relay_record.joined(lines, STARTED, "storm-") == {"storm-1a/0", "storm-1a/1"}
