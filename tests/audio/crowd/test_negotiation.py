"""What is answered to LiveKit's signalling, message by message."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from livekit.protocol import models, rtc

from showstopper.audio.crowd import negotiation
from showstopper.audio.crowd.ice import Agent, Credentials
from showstopper.audio.crowd.negotiation import LeaveMessage, Negotiation, UnreadableMessage
from tests.audio.crowd import offers
from tests.audio.crowd.played_server import response

OURS = ("10.0.3.9", 40123)


def negotiate() -> tuple[Negotiation, Agent]:
    agent = Agent()
    return Negotiation(agent, "AB:CD", OURS), agent


def offer(text: str, number: int = 1) -> bytes:
    return response(offer=rtc.SessionDescription(type="offer", sdp=text, id=number))


def requests(messages: list[bytes]) -> list[rtc.SignalRequest]:
    return [rtc.SignalRequest.FromString(message) for message in messages]


def trickle(line: str, target: rtc.SignalTarget = rtc.SignalTarget.SUBSCRIBER) -> bytes:
    return response(trickle=rtc.TrickleRequest(candidateInit=json.dumps({"candidate": line}), target=target))


def test_the_first_offer_is_answered_and_our_candidate_trickles_after_it() -> None:
    talk, agent = negotiate()
    answer, candidate = requests(talk.take(offer(offers.offer(), 5)))
    assert answer.answer.id == 5
    assert f"a=ice-ufrag:{agent.own.ufrag}" in answer.answer.sdp
    init = json.loads(candidate.trickle.candidateInit)
    assert init["candidate"].split()[4:6] == ["10.0.3.9", "40123"]
    assert candidate.trickle.target == rtc.SignalTarget.SUBSCRIBER
    assert talk.peer_fingerprint == offers.FINGERPRINT


def test_the_second_offer_has_the_sound_and_is_answered_too() -> None:
    """Who does not answer it is connected and hears nothing."""
    talk, _ = negotiate()
    talk.take(offer(offers.offer(), 1))
    (answer,) = requests(talk.take(offer(offers.offer(audio=True), 2)))
    assert answer.answer.id == 2
    assert "a=recvonly" in answer.answer.sdp
    assert talk.restarts == 0


def test_an_offer_with_other_credentials_restarts_ice() -> None:
    talk, agent = negotiate()
    talk.take(offer(offers.offer(audio=True), 1))
    before = agent.own
    other = Credentials("Other", "OtherPasswordOtherPassword")
    answer, candidate = requests(talk.take(offer(offers.offer(audio=True, credentials=other), 2)))
    assert talk.restarts == 1
    assert agent.own != before
    assert f"a=ice-ufrag:{agent.own.ufrag}" in answer.answer.sdp
    assert candidate.HasField("trickle")


def test_joining_says_who_we_are_and_how_long_silence_may_last() -> None:
    talk, _ = negotiate()
    join = rtc.JoinResponse(participant=models.ParticipantInfo(sid="PA_1"), ping_timeout=20)
    message = response(join=join)
    assert negotiation.is_join(message)
    assert talk.take(message) == []
    assert (talk.sid, talk.ping_timeout) == ("PA_1", 20)
    talk.take(response(join=rtc.JoinResponse()))
    assert talk.ping_timeout == 20


def test_candidates_of_our_family_and_of_the_subscriber_are_taken() -> None:
    talk, agent = negotiate()
    talk.take(offer(offers.offer()))
    talk.take(trickle("candidate:1 1 udp 1 10.0.3.7 7882 typ host"))
    talk.take(trickle("candidate:1 1 udp 1 fd00::7 7882 typ host"))
    talk.take(trickle("candidate:1 1 tcp 1 10.0.3.8 7881 typ host"))
    talk.take(trickle("candidate:1 1 udp 1 10.0.3.9 7882 typ host", rtc.SignalTarget.PUBLISHER))
    assert agent.candidates == [("10.0.3.7", 7882)]
    assert talk.checks == [], "a full agent checks us"


def test_a_lite_agent_is_checked_where_it_says_that_it_is() -> None:
    talk, _ = negotiate()
    talk.take(offer(offers.offer(lite=True)))
    talk.take(trickle("candidate:1 1 udp 1 10.0.3.7 7882 typ host"))
    assert [address for _, address in talk.checks] == [("10.0.3.7", 7882)]


def test_leave_says_what_to_do_and_why() -> None:
    talk, _ = negotiate()
    leave = rtc.LeaveRequest(action=rtc.LeaveRequest.RECONNECT, reason=models.DisconnectReason.SERVER_SHUTDOWN)
    assert talk.take(response(leave=leave)) == []
    assert talk.leave == LeaveMessage(rtc.LeaveRequest.RECONNECT, "SERVER_SHUTDOWN")
    assert negotiation.reason_name(4711) == "4711"


def test_what_nobody_acts_on_is_not_even_parsed() -> None:
    talk, _ = negotiate()
    for message in (response(speakers_changed=rtc.SpeakersChanged()), b"", b"\x80", b"\xff\xff\xff"):
        assert talk.take(message) == []


@pytest.mark.parametrize("message", [b"\x1a\xff", offer(""), offer("m=audio 9 x 1\r\n")], ids=["cut", "empty", "SDP"])
def test_what_cannot_be_read_is_said_to_be_nonsense(message: bytes) -> None:
    talk, _ = negotiate()
    with pytest.raises(UnreadableMessage):
        talk.take(message)


def test_a_refreshed_token_is_kept_for_the_way_back() -> None:
    talk, _ = negotiate()
    talk.take(response(refresh_token="newer"))
    assert talk.token == "newer"


def test_the_path_names_the_client_and_the_session_that_is_resumed() -> None:
    query = parse_qs(urlsplit(negotiation.path("t+k/n=", "PA_1")).query)
    assert (query["access_token"], query["reconnect"], query["sid"]) == (["t+k/n="], ["1"], ["PA_1"])
    assert (query["protocol"], query["sdk"]) == (["17"], ["python"])
    assert "reconnect" not in negotiation.path("token")
    assert negotiation.is_resumed(response(reconnect=rtc.ReconnectResponse()))
    assert not negotiation.is_resumed(response(join=rtc.JoinResponse()))
    assert not negotiation.is_resumed(b"")


def test_what_a_client_says_of_itself() -> None:
    assert rtc.SignalRequest.FromString(negotiation.ping(123)).ping_req.timestamp == 123
    leave = rtc.SignalRequest.FromString(negotiation.goodbye()).leave
    assert leave.reason == models.DisconnectReason.CLIENT_INITIATED
    assert rtc.SignalRequest.FromString(negotiation.sync_state()).HasField("sync_state")
