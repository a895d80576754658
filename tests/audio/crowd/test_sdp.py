import pytest

from showstopper.audio.crowd import sdp
from showstopper.audio.crowd.sdp import OwnSide, SdpError
from tests.audio.crowd import offers
from tests.audio.crowd.offers import offer

OWN = OwnSide("ours", "our-own-password", "AB:CD")


def lines(text: str) -> list[list[str]]:
    """The answer's lines, by section; the first are the session's."""
    sections: list[list[str]] = [[]]
    for line in text.removesuffix("\r\n").split("\r\n"):
        if line.startswith("m="):
            sections.append([])
        sections[-1].append(line)
    return sections


def test_it_reads_transport_and_sound_of_livekit_s_offer() -> None:
    read = sdp.read(offer(audio=True))
    assert (read.ufrag, read.password) == (offers.RELAY.ufrag, offers.RELAY.password)
    assert read.fingerprint == offers.FINGERPRINT
    assert not read.lite
    assert [(section.kind, section.mid, section.opus, section.is_sound) for section in read.sections] == [
        ("application", "0", "", False),
        ("audio", "1", "111", True),
    ]


def test_before_there_is_sound_the_data_section_is_taken_so_that_there_is_a_transport() -> None:
    session, data = lines(sdp.answer(sdp.read(offer()), OWN))
    assert "a=group:BUNDLE 0" in session
    assert data[0] == "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"
    assert {"a=mid:0", "a=ice-ufrag:ours", "a=ice-pwd:our-own-password", "a=setup:active"} <= set(data)


def test_with_sound_the_opus_section_is_taken_and_all_else_turned_down() -> None:
    session, data, audio, video = lines(sdp.answer(sdp.read(offer(audio=True, video=True)), OWN))
    assert "a=group:BUNDLE 1" in session
    assert data[0].startswith("m=application 0 ")
    assert video[0] == "m=video 0 UDP/TLS/RTP/SAVPF 96"
    assert {"a=mid:2", "a=inactive"} <= set(video)
    assert audio[0] == "m=audio 9 UDP/TLS/RTP/SAVPF 111"
    expected = {"a=mid:1", "a=recvonly", "a=rtcp-mux", "a=rtpmap:111 opus/48000/2", "a=fingerprint:sha-256 AB:CD"}
    assert expected <= set(audio)
    assert "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time" in audio


def test_a_track_that_has_ended_stays_in_its_place_and_is_inactive() -> None:
    ended = offer(audio=True).replace("a=sendonly", "a=inactive")
    *_, audio = lines(sdp.answer(sdp.read(ended), OWN))
    assert audio[0] == "m=audio 9 UDP/TLS/RTP/SAVPF 111"
    assert "a=inactive" in audio


def test_a_lite_agent_says_so() -> None:
    assert sdp.read(offer(lite=True)).lite


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=0\r\n",
        offer().replace("a=ice-ufrag", "a=other"),
        offer().replace("a=fingerprint", "a=other"),
        offer().replace("a=mid:0", "a=other"),
        offer(data=False),
        "m=audio 9 x 1\r\n" * 1000 + offer(),
        "x" * (sdp.MOST_BYTES + 1),
    ],
    ids=["nothing", "no sections", "no credentials", "no fingerprint", "no mid", "no section", "many", "long"],
)
def test_what_cannot_be_answered_is_an_error(text: str) -> None:
    with pytest.raises(SdpError):
        sdp.read(text)


def test_an_offer_of_video_alone_is_an_error() -> None:
    video = sdp.read(offer(data=False, video=True).replace("a=mid:2", "a=mid:2\r\na=ice-ufrag:u\r\na=ice-pwd:p"))
    with pytest.raises(SdpError):
        sdp.answer(video, OWN)
