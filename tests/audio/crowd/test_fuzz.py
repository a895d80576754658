"""Nonsense from the network: whatever comes, there is a state, never a crash. Seeded; `FUZZ` sets the tries of each."""

import os
import random
from typing import Any, cast

import numpy as np
import pytest
from livekit.protocol import rtc

from showstopper.audio.crowd import candidates, packets, sdp, stun
from showstopper.audio.crowd.dtls import Handshake, HandshakeFailed, Identity
from showstopper.audio.crowd.ice import Agent, Credentials
from showstopper.audio.crowd.ledger import Ledger
from showstopper.audio.crowd.negotiation import Negotiation, UnreadableMessage
from tests.audio.crowd import offers, rtp

TRIES = int(os.environ.get("FUZZ", "2000"))
SEED = int(os.environ.get("FUZZ_SEED", "20240812"))
AT = ("192.0.2.1", 7882)
IDENTITY = Identity()
LINES = offers.offer(audio=True, video=True, lite=True).split("\r\n")


def mangle(data: bytes, draw: random.Random) -> bytes:
    """The same with some bytes changed, cut out, doubled or added."""
    changed = bytearray(data)
    for _ in range(draw.randint(0, 6)):
        at = draw.randrange(len(changed) + 1)
        match draw.randrange(4):
            case 0 if changed:
                changed[at % len(changed)] = draw.getrandbits(8)
            case 1:
                del changed[at : at + draw.randint(1, 20)]
            case 2:
                changed[at:at] = changed[at : at + draw.randint(1, 40)]
            case _:
                changed[at:at] = draw.randbytes(draw.randint(1, 8))
    return bytes(changed)


def text(draw: random.Random) -> str:
    """SDP with lines changed, left out, doubled and mixed up."""
    lines = [line for line in LINES for _ in range(draw.choice([0, 1, 1, 1, 1, 1, 2]))]
    if draw.random() < 0.3:
        draw.shuffle(lines)
    joined = "\r\n".join(lines)
    if draw.random() < 0.5:
        joined = mangle(joined.encode(), draw).decode(errors="replace")
    return joined


def response(draw: random.Random) -> bytes:
    """A message of the server, more or less."""
    line = mangle(b"candidate:1 1 udp 1 10.0.3.7 7882 typ host", draw).decode(errors="replace")
    init = draw.choice([candidates.trickle(AT, "0"), line, '{"candidate": "' + line])
    number = cast("Any", draw.getrandbits(20))
    messages: list[dict[str, Any]] = [
        {"offer": rtc.SessionDescription(type="offer", sdp=text(draw), id=draw.getrandbits(31))},
        {"join": rtc.JoinResponse(ping_timeout=draw.getrandbits(31))},
        {"leave": rtc.LeaveRequest(reason=number, action=number % 8)},
        {"trickle": rtc.TrickleRequest(candidateInit=init, target=number % 2)},
        {"refresh_token": line},
    ]
    data = bytes(rtc.SignalResponse(**draw.choice(messages)).SerializeToString())
    return mangle(data, draw) if draw.random() < 0.6 else data


@pytest.fixture
def draw(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(f"{SEED}/{request.node.name}")


def test_signalling(draw: random.Random) -> None:
    for _ in range(TRIES):
        talk = Negotiation(Agent(), "AB:CD", AT)
        for _ in range(draw.randint(1, 4)):
            try:
                answers = talk.take(response(draw))
            except UnreadableMessage:
                break
            assert all(rtc.SignalRequest.FromString(answer).WhichOneof("message") for answer in answers)


def test_sdp(draw: random.Random) -> None:
    own = sdp.OwnSide("ours", "password", "AB:CD")
    answered = 0
    for _ in range(TRIES):
        try:
            answer = sdp.answer(sdp.read(text(draw)), own)
        except sdp.SdpError:
            continue
        answered += 1
        assert "a=ice-ufrag:ours" in answer
    assert 0 < answered < TRIES


def test_candidates(draw: random.Random) -> None:
    for _ in range(TRIES):
        line = mangle(b"candidate:1 1 udp 1 fd00::7 7882 typ host", draw).decode(errors="replace")
        address = candidates.read(line)
        assert address is None or 0 < address[1] <= 65535
        candidates.read_trickled(mangle(candidates.trickle(AT, "0").encode(), draw).decode(errors="replace"))


def test_stun_selects_nobody_who_does_not_know_the_password(draw: random.Random) -> None:
    agent = Agent()
    agent.describe(Credentials("theirs", "their-password"), lite=False)
    check = stun.request(f"{agent.own.ufrag}:theirs", b"guessed", 1, controlling=True)
    for _ in range(TRIES):
        datagram = draw.choice([mangle(check, draw), draw.randbytes(draw.randint(0, 80))])
        assert agent.take(datagram, AT) == []
    assert agent.selected is None


def test_dtls_is_never_done_with_nonsense(draw: random.Random) -> None:
    hello = Handshake(IDENTITY, "").step()[0]
    for _ in range(max(1, TRIES // 10)):
        handshake = Handshake(IDENTITY, f"sha-256 {IDENTITY.fingerprint}")
        handshake.step()
        try:
            for _ in range(10):
                handshake.step(
                    draw.choice([mangle(hello, draw), bytes([22, 254, 253]) + draw.randbytes(draw.randint(0, 100))])
                )
        except HandshakeFailed:
            continue
        finally:
            assert not handshake.done


def test_packets_are_counted_or_not_and_nothing_else(draw: random.Random) -> None:
    ledger, taken = Ledger(4), 0
    for number in range(max(1, TRIES // 20)):
        sent = [nearly_a_packet(draw) for _ in range(20)]
        data, length = rtp.rows(sent)
        slot = np.sort(np.array([draw.randrange(4) for _ in sent], np.int64))
        sound = packets.sound(data, length, slot, np.full(len(sent), float(number)))
        assert not (packets.is_rtp(data, length) & packets.is_session(data, length)).any()
        taken += len(sound)
        ledger.take(sound)
    assert ledger.received.sum() == taken > 0


def nearly_a_packet(draw: random.Random) -> bytes:
    ssrc = draw.choice([7, draw.getrandbits(32)])
    whole = rtp.datagram(rtp.Packet(0, draw.getrandbits(16), ssrc, draw.randint(0, 90), 0.0))
    return draw.choice([whole, mangle(whole, draw), draw.randbytes(draw.randint(0, 60))])
