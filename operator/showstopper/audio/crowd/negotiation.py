"""What a listener answers to LiveKit's signalling, with two peer connections (`/rtc`), as the Rust client 1.1.13 does.

The server offers: first a data channel alone, and 150 ms later the sound. A listener that does not answer the second
offer is connected, and hears nothing. No I/O and no clock: messages in, messages out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlencode

from google.protobuf.message import DecodeError
from livekit.protocol import models, rtc

from showstopper.audio.crowd import candidates, sdp
from showstopper.audio.crowd.ice import Agent, Credentials
from showstopper.audio.crowd.stun import Address

CLIENT = {"auto_subscribe": "1", "sdk": "python", "version": "1.1.13", "protocol": "17", "os": "linux"}
"""What the pinned SDK says of itself: LiveKit chooses by it how it speaks."""

_CLIENT = urlencode(CLIENT)

PING_TIMEOUT_SECONDS = 15.0
"""Where the server does not say: livekit/rust-sdks, livekit-api/src/signal_client."""

_FIELDS = {name: number.number for name, number in rtc.SignalResponse.DESCRIPTOR.fields_by_name.items()}
_ACTED_ON = frozenset(_FIELDS[name] for name in ("join", "offer", "trickle", "leave", "refresh_token"))


class UnreadableMessage(Exception):
    """A message that cannot be read."""


@dataclass(frozen=True, slots=True)
class LeaveMessage:
    """The server sent the listener away: rtc.LeaveRequest.Action, and the name of a models.DisconnectReason."""

    action: int
    reason: str


class Negotiation:
    """One listener's side of one stay in the room, over as many signalling connections as it takes."""

    def __init__(self, agent: Agent, fingerprint: str, address: Address) -> None:
        """`fingerprint` is that of our certificate, `address` our candidate."""
        self.sid = ""
        self.token = ""
        self.ping_timeout = PING_TIMEOUT_SECONDS
        self.leave: LeaveMessage | None = None
        self.peer_fingerprint = ""
        self.checks: list[tuple[bytes, Address]] = []
        """ICE checks that are to be sent."""
        self.restarts = 0
        self._agent = agent
        self._fingerprint = fingerprint
        self._address = address

    def take(self, message: bytes) -> list[bytes]:
        """Take a message of the server. Returns what is to be answered.

        Raises:
            UnreadableMessage: if it cannot be read.
        """
        if first_field(message) not in _ACTED_ON:
            return []
        try:
            response = rtc.SignalResponse.FromString(message)
            return self._take(response)
        except (DecodeError, sdp.SdpError) as error:
            raise UnreadableMessage(f"the server's signalling cannot be read: {error}") from error

    def _take(self, response: rtc.SignalResponse) -> list[bytes]:
        match response.WhichOneof("message"):
            case "join":
                self._joined(response.join)
            case "offer":
                return self._answer(response.offer)
            case "trickle" if response.trickle.target == rtc.SignalTarget.SUBSCRIBER:
                self._candidate(candidates.read_trickled(response.trickle.candidateInit))
            case "leave":
                self.leave = LeaveMessage(response.leave.action, reason_name(response.leave.reason))
            case "refresh_token":
                self.token = response.refresh_token
        return []

    def _joined(self, join: rtc.JoinResponse) -> None:
        self.sid = join.participant.sid
        if join.ping_timeout > 0:
            self.ping_timeout = float(join.ping_timeout)

    def _answer(self, offer: rtc.SessionDescription) -> list[bytes]:
        description = sdp.read(offer.sdp)
        had_one = bool(self.peer_fingerprint)
        peer = Credentials(description.ufrag, description.password)
        begins = self._agent.describe(peer, lite=description.lite)
        self.restarts += begins and had_one
        self.peer_fingerprint = description.fingerprint
        own = sdp.OwnSide(self._agent.own.ufrag, self._agent.own.password, self._fingerprint)
        answer = rtc.SessionDescription(type="answer", sdp=sdp.answer(description, own), id=offer.id)
        messages = [rtc.SignalRequest(answer=answer).SerializeToString()]
        for line in description.candidates:
            self._candidate(candidates.read(line))
        if begins:
            # LiveKit checks a candidate that trickles in at once, and one in the answer 0.2 s later.
            messages.append(self._trickle(description.sections[0].mid))
        return messages

    def _trickle(self, mid: str) -> bytes:
        init = candidates.trickle(self._address, mid)
        trickle = rtc.TrickleRequest(candidateInit=init, target=rtc.SignalTarget.SUBSCRIBER)
        return bytes(rtc.SignalRequest(trickle=trickle).SerializeToString())

    def _candidate(self, address: Address | None) -> None:
        if address is not None and candidates.version(address) == candidates.version(self._address):
            self.checks += [(check, address) for check in self._agent.add(address)]


def path(token: str, sid: str = "") -> str:
    """Path and query of the signalling. With a session's `sid` it is resumed."""
    session = "&" + urlencode({"reconnect": "1", "sid": sid}) if sid else ""
    return f"/rtc?access_token={quote(token)}&{_CLIENT}{session}"


def is_resumed(message: bytes) -> bool:
    """Whether the first message of a signalling that was opened again says that the session lives on."""
    return first_field(message) == _FIELDS["reconnect"]


def is_join(message: bytes) -> bool:
    """Whether the message lets the listener in."""
    return first_field(message) == _FIELDS["join"]


def is_leave(message: bytes) -> bool:
    """Whether the message sends the listener away."""
    return first_field(message) == _FIELDS["leave"]


@lru_cache(maxsize=1)  # those who ping in one sweep mostly do so in one millisecond
def ping(wall_milliseconds: int) -> bytes:
    """What clients send every five seconds."""
    return bytes(rtc.SignalRequest(ping_req=rtc.Ping(timestamp=wall_milliseconds)).SerializeToString())


def sync_state() -> bytes:
    """What a client sends once its session was resumed: it wants what it had."""
    sync = rtc.SyncState(subscription=rtc.UpdateSubscription(subscribe=False))
    return bytes(rtc.SignalRequest(sync_state=sync).SerializeToString())


def goodbye() -> bytes:
    """What a client sends that leaves."""
    leave = rtc.LeaveRequest(reason=models.DisconnectReason.CLIENT_INITIATED)
    return bytes(rtc.SignalRequest(leave=leave).SerializeToString())


def first_field(message: bytes) -> int:
    """The number of a message's first field, 0 if there is none: most messages need no more parsing than that."""
    if not message or (message[0] >= 0x80 and len(message) < 2):
        return 0
    key = message[0] if message[0] < 0x80 else (message[0] & 0x7F) | message[1] << 7
    return key >> 3


def reason_name(reason: int) -> str:
    """A disconnect reason in LiveKit's word, or its number, where it is newer than we know."""
    try:
        return str(models.DisconnectReason.Name(reason))
    except ValueError:
        return str(reason)
