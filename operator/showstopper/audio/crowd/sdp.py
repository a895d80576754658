"""As much SDP as a listener needs: what an offer says of transport and sound, and an answer that takes the sound."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MOST_BYTES = 1 << 18
MOST_SECTIONS = 256
DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
_OPUS = re.compile(r"(\d{1,3}) opus/48000", re.IGNORECASE)
_TOKEN = re.compile(r"[\x21-\x7e]{1,256}")


class SdpError(ValueError):
    """A description that cannot be answered."""


@dataclass(eq=False)
class Section:
    """One m-line, in the order of the offer."""

    kind: str
    protocol: str
    formats: str
    mid: str = ""
    opus: str = ""
    direction: str = ""
    extensions: dict[str, str] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        """Whether it is audio in Opus."""
        return self.kind == "audio" and bool(self.opus)


@dataclass(eq=False)
class Description:
    """An offer. With BUNDLE its first transport is everybody's."""

    ufrag: str = ""
    password: str = ""
    fingerprint: str = ""
    lite: bool = False
    candidates: list[str] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OwnSide:
    """What an answer says of this side: ICE credentials, and the SHA-256 fingerprint of the certificate."""

    ufrag: str
    password: str
    fingerprint: str


def read(text: str) -> Description:
    """Read an offer.

    Raises:
        SdpError: if it is too long, or lacks what a transport needs.
    """
    if len(text) > MOST_BYTES:
        raise SdpError(f"a description of {len(text)} characters; at most {MOST_BYTES} are read")
    offer = Description()
    for line in text.replace("\r\n", "\n").split("\n"):
        kind, _, value = line.partition("=")
        if kind == "m":
            offer.sections.append(_section(value))
        elif kind == "a":
            _attribute(offer, value)
    if not (_TOKEN.fullmatch(offer.ufrag) and _TOKEN.fullmatch(offer.password) and offer.fingerprint):
        raise SdpError("a description without ICE credentials or fingerprint")
    if not offer.sections or len(offer.sections) > MOST_SECTIONS:
        raise SdpError(f"a description with {len(offer.sections)} sections; 1 to {MOST_SECTIONS} are read")
    if not all(_TOKEN.fullmatch(section.mid) for section in offer.sections):
        raise SdpError("a section without a name (mid)")
    return offer


def answer(offer: Description, own: OwnSide) -> str:
    """Take every Opus section and turn down all else.

    Before there is sound the data section is taken, so that there is a transport to be connected on: LiveKit offers it
    first, and the sound 150 ms later.

    Raises:
        SdpError: if there is neither sound nor data to take.
    """
    taken = [section for section in offer.sections if section.is_sound]
    taken = taken or [section for section in offer.sections if section.kind == "application"][:1]
    if not taken:
        raise SdpError("an offer with neither Opus nor a data channel")
    bundle = " ".join(section.mid for section in taken)
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {bundle}"]
    for section in offer.sections:
        lines += _taken(section, own) if section in taken else _refused(section)
    return "\r\n".join(lines) + "\r\n"


def _section(value: str) -> Section:
    kind, _, rest = value.partition(" ")
    _port, _, rest = rest.partition(" ")
    protocol, _, formats = rest.partition(" ")
    return Section(kind, protocol, formats)


def _attribute(offer: Description, text: str) -> None:
    name, _, value = text.partition(":")
    if name == "ice-ufrag":
        offer.ufrag = offer.ufrag or value
    elif name == "ice-pwd":
        offer.password = offer.password or value
    elif name == "fingerprint":
        offer.fingerprint = offer.fingerprint or value
    elif name == "ice-lite":
        offer.lite = True
    elif name == "candidate":
        offer.candidates.append(value)
    elif offer.sections:
        _of_section(offer.sections[-1], name, value)


def _of_section(section: Section, name: str, value: str) -> None:
    if name == "mid":
        section.mid = value
    elif name in DIRECTIONS:
        section.direction = name
    elif name == "extmap" and len(words := value.split()) >= 2:
        section.extensions[words[1]] = words[0].partition("/")[0]
    elif name == "rtpmap" and not section.opus and (opus := _OPUS.match(value)):
        section.opus = opus[1]


def _taken(section: Section, own: OwnSide) -> list[str]:
    transport = [f"a=ice-ufrag:{own.ufrag}", f"a=ice-pwd:{own.password}"]
    transport += [f"a=fingerprint:sha-256 {own.fingerprint}", "a=setup:active"]
    if not section.is_sound:
        media = ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0", f"a=mid:{section.mid}"]
        return [*media, "a=sctp-port:5000", *transport]
    media = [f"m=audio 9 UDP/TLS/RTP/SAVPF {section.opus}", "c=IN IP4 0.0.0.0", f"a=mid:{section.mid}", "a=rtcp-mux"]
    media.append("a=inactive" if section.direction == "inactive" else "a=recvonly")
    media.append(f"a=rtpmap:{section.opus} opus/48000/2")
    media += [f"a=extmap:{number} {uri}" for uri, number in section.extensions.items()]
    return media + transport


def _refused(section: Section) -> list[str]:
    line = f"m={section.kind} 0 {section.protocol} {section.formats}"
    return [line, "c=IN IP4 0.0.0.0", f"a=mid:{section.mid}", "a=inactive"]
