"""The arithmetic of `make bench-crowd`."""

import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from bench import crowd_figures, crowd_process, stamps
from bench.relay_record import Compared
from showstopper.audio.crowd.crowd import Crowd
from showstopper.audio.crowd.diary import Marks
from showstopper.audio.crowd.refusals import Refusal
from showstopper.audio.crowd.storm.tally import JoinAttempt, Tally
from showstopper.audio.hearing.ear import HeardSpan
from showstopper.audio.settings import RoomSettings
from showstopper.availability.spans import State
from tests.audio.crowd.rtp import Packet, batch

OFFSET = 1_800_000_000_000_000_000


@pytest.mark.parametrize("at", [5.0, 4294.967, 12345.678])
def test_the_error_of_a_stamp_is_what_lies_between_sending_and_stamp_also_where_microseconds_wrap(at: float) -> None:
    sent = (round(at * 1e9) + OFFSET) // 1000
    late = [0.0, 0.000_25, -0.001, 0.5]
    packets = [Packet(0, 1, (sent - round(each * 1e6)) % 2**32, 80, at) for each in late]
    assert stamps.errors(batch(packets), OFFSET) == pytest.approx(np.array(late), abs=5e-6)


def played_crowd() -> dict[str, Any]:
    names = (
        "hearing seconds why listeners_with_gaps packets_lost packets_lost_by_all kernel_drops packets_per_second "
        "pauses latest_sweep_ms rss_mb own_ms_per_join refused_at_first"
    )
    return dict.fromkeys(names.split(), 1.0) | {"listeners": 1000, "cpu_percent": 12.5}


def test_the_figures_have_a_listener_s_share_and_what_the_relay_s_record_says() -> None:
    figures = crowd_figures.of_crowd(played_crowd(), Compared(1000, 3, 7))
    assert figures["cpu_percent_per_listener"] == 0.0125
    assert figures["listeners_missed_packets"] == 3
    assert figures["rss_mb_1000"] == 1.0


def test_a_crowd_that_is_told_what_it_hears_has_figures_of_its_own() -> None:
    figures = crowd_figures.with_ears(played_crowd() | {"live_percent": 99.4567, "unopened": 2, "doubts": 0})
    assert figures == {
        "cpu_percent_with_ears": 12.5,
        "rss_mb_with_ears": 1.0,
        "live_percent_with_ears": 99.46,
        "kernel_drops_with_ears": 1.0,
        "unopened_with_ears": 2,
        "doubts_with_ears": 0,
    }
    assert not figures.keys() & crowd_figures.of_crowd(played_crowd(), Compared(1000, 3, 7)).keys()


async def test_the_share_that_is_live_is_of_the_time_that_is_told() -> None:
    crowd = Crowd(RoomSettings("r", "ws://r", "r", "k", "s"), 2)
    crowd.heard.extend([(0, HeardSpan(State.LIVE, 9.0, 12.0)), (1, HeardSpan(State.HOLD, 10.0, 11.0))])
    crowd.heard.append((1, HeardSpan(State.LIVE, 11.0, 11.5)))
    assert crowd_process.live(crowd, 10.0, 12.0) == (2.0 + 0.5) / 4.0
    assert math.isnan(crowd_process.live(crowd, 10.0, 9.0))


def test_a_listener_stands_beside_those_of_others_also_where_aiortc_cannot_be_had() -> None:
    others = {"cpu_percent_each": 0.4, "packets_per_second_each": 50.0, "own_ms_per_join": 20.0}
    assert crowd_figures.beside(played_crowd(), 2.0, others)["ratio_to_aiortc"] == 32.0
    assert crowd_figures.beside(played_crowd(), 2.0, None)["ratio_to_aiortc"] is None
    assert crowd_figures.beside(played_crowd(), 2.0, None)["ratio_to_sdk"] == 160.0


def played_storm(attempts: list[JoinAttempt]) -> dict[str, Any]:
    own = {"is_as_asked": True, "own_ms_per_join": 1.5, "own_busy_percent": 20.0}
    return dict(json.loads(json.dumps(asdict(Tally.of(attempts)) | own)))


def test_a_storm_says_who_got_in_and_why_the_others_did_not() -> None:
    attempts = [JoinAttempt(0.0, Marks(0.0, 1.0, 1.0, 1.5, 2.0), 2.0, first_packet=2.5)]
    attempts += [JoinAttempt(0.0, Marks(0.0), 3.0, Refusal.UNAVAILABLE, "HTTP 503 request timed out")] * 2
    figures = crowd_figures.of_storm("visible", played_storm(attempts))
    assert figures["storm_visible_in"] == 1
    assert figures["storm_visible_why_not"] == "2 Unavailable"
    assert figures["storm_visible_messages"] == "2 of 'HTTP 503 request timed out'"
    assert figures["storm_visible_first_packet_p95_ms"] == 2500.0
    nobody = crowd_figures.of_storm("visible", played_storm(attempts[1:]))
    assert nobody["storm_visible_first_packet_p95_ms"] is None
