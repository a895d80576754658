from typing import Any

import pytest
from livekit.rtc._proto import stats_pb2

from showstopper.audio import statistics
from showstopper.audio.clock import SampleClock
from showstopper.audio.statistics import Path


def inbound(**received: Any) -> Any:
    entry = stats_pb2.RtcStats()
    rtp = entry.inbound_rtp
    rtp.rtc.timestamp = 5_000_000_000_000
    rtp.stream.kind, rtp.stream.ssrc = "audio", 7
    rtp.inbound.track_identifier = "t"
    rtp.inbound.last_packet_received_timestamp = 5_000_000_000 - 12.5
    rtp.inbound.concealed_samples, rtp.inbound.silent_concealed_samples = 900, 400
    rtp.received.packets_received = 40
    for name, value in received.items():
        setattr(rtp.received, name, value)
    return entry


def stamps() -> SampleClock:
    return SampleClock(statistics.STAMPS)


def candidate(kind: str, name: str, address: str, port: int) -> Any:
    entry = stats_pb2.RtcStats()
    body = getattr(entry, kind)
    body.rtc.id = name
    body.candidate.transport_id, body.candidate.address, body.candidate.port = "T", address, port
    return entry


def pair(name: str, local: str, remote: str, last: float, stamp: int = 5_000_000_000_000) -> Any:
    entry = stats_pb2.RtcStats()
    body = entry.candidate_pair
    body.rtc.id, body.rtc.timestamp = name, stamp
    body.candidate_pair.transport_id = "T"
    body.candidate_pair.local_candidate_id, body.candidate_pair.remote_candidate_id = local, remote
    body.candidate_pair.last_packet_received_timestamp = last
    return entry


def transport(selected: str) -> Any:
    entry = stats_pb2.RtcStats()
    entry.transport.rtc.id = "T"
    entry.transport.transport.selected_candidate_pair_id = selected
    return entry


def test_the_last_packet_s_time_is_on_our_clock() -> None:
    (poll,) = statistics.polls([inbound(packets_lost=-1)], stamps(), at=100.0)
    assert poll.last_packet_at == pytest.approx(100.0 - 0.0125, abs=1e-6)
    assert (poll.source, poll.received, poll.lost) == ("7/t", 40, -1)
    assert (poll.made_up, poll.concealed) == (900, 500)


def test_an_answer_that_reaches_us_late_does_not_move_the_packet() -> None:
    clock = stamps()
    statistics.polls([inbound()], clock, at=100.0)
    late = inbound()
    late.inbound_rtp.rtc.timestamp += 250_000
    late.inbound_rtp.inbound.last_packet_received_timestamp += 240
    (poll,) = statistics.polls([late], clock, at=100.33)
    assert poll.at == pytest.approx(100.25, abs=1e-5)
    assert poll.last_packet_at == pytest.approx(100.24 - 0.0125, abs=1e-5)


def test_before_the_first_packet_there_is_no_last_one() -> None:
    assert statistics.polls([inbound(packets_received=0)], stamps(), at=1.0)[0].last_packet_at is None


def test_video_is_not_counted() -> None:
    entry = inbound()
    entry.inbound_rtp.stream.kind = "video"
    assert statistics.polls([entry], stamps(), at=1.0) == []


LOCAL = candidate("local_candidate", "L", "10.0.0.9", 5555)


def test_the_relay_is_the_remote_end_of_the_selected_pair() -> None:
    entries = [transport("P"), pair("P", "L", "R", 0), LOCAL, candidate("remote_candidate", "R", "10.0.0.1", 7882)]
    assert statistics.path(entries) == Path("10.0.0.1", 7882, 5555)


def test_media_that_comes_over_another_pair_tells_the_relay() -> None:
    entries = [
        transport("P"),
        pair("P", "L", "R", 1000),
        pair("P2", "L", "R2", 2000),
        LOCAL,
        candidate("remote_candidate", "R", "10.0.0.1", 7882),
        candidate("remote_candidate", "R2", "10.0.0.2", 7882),
    ]
    assert statistics.path(entries) == Path("10.0.0.2", 7882, 5555)


def test_a_redacted_address_is_told_by_the_other_candidates() -> None:
    entries = [
        transport("P"),
        pair("P", "L", "R", 0),
        candidate("remote_candidate", "R", "", 7882),
        candidate("remote_candidate", "other", "10.0.0.1", 7882),
    ]
    assert statistics.path(entries) == Path("10.0.0.1", 7882, 0)


def test_without_a_connection_there_is_no_relay_and_no_answer() -> None:
    for entries in ([], [transport("")], [transport("P"), candidate("remote_candidate", "R", "10.0.0.1", 7882)]):
        assert statistics.path(entries) is None
        assert statistics.answered_at(entries, 1.0) is None


def test_the_relay_answered_when_its_last_packet_came() -> None:
    stamp = 5_000_000_000_000
    entries = [pair("P", "L", "R", 5_000_000_000 - 700, stamp), pair("Q", "L", "R", 5_000_000_000 - 900, stamp)]
    assert statistics.answered_at(entries, 50.0) == pytest.approx(50.0 - 0.7, abs=1e-6)


def test_a_relay_takes_the_sound_when_it_reports_it_and_not_when_it_answers() -> None:
    assert not statistics.taken([pair("P", "L", "R", 4_999_999_000.0), transport("P")])
    report = stats_pb2.RtcStats()
    report.remote_inbound_rtp.rtc.id = "RI"
    assert statistics.taken([transport("P"), report])
