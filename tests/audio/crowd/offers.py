"""Offers as LiveKit 1.13.5 makes them, with two peer connections: the data channel alone, then with sound."""

from showstopper.audio.crowd.ice import Credentials

RELAY = Credentials("ZmOCWTXxYzKaVBFa", "DRLBGBrGUDnPUGYwxfUKkXrTKqtvWtFV")
FINGERPRINT = "sha-256 " + ":".join(f"{number:02X}" for number in range(32))

_SESSION = """\
v=0
o=- 7433543561270352474 1764394000 IN IP4 0.0.0.0
s=-
t=0 0
a=msid-semantic:WMS*
a=fingerprint:{fingerprint}
a=extmap-allow-mixed
a=group:BUNDLE {bundle}
"""
_DATA = """\
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=setup:actpass
a=mid:0
a=sendrecv
a=sctp-port:5000
a=max-message-size:65535
a=ice-ufrag:{ufrag}
a=ice-pwd:{password}
"""
_AUDIO = """\
m=audio 9 UDP/TLS/RTP/SAVPF 63 111
c=IN IP4 0.0.0.0
a=setup:actpass
a=mid:1
a=ice-ufrag:{ufrag}
a=ice-pwd:{password}
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:2/recvonly http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time
a=ssrc:3394279241 cname:PA_x|TR_x
a=sendonly
"""
_VIDEO = """\
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=setup:actpass
a=mid:2
a=rtpmap:96 VP8/90000
a=sendonly
"""


def offer(
    *, audio: bool = False, video: bool = False, data: bool = True, credentials: Credentials = RELAY, lite: bool = False
) -> str:
    """An offer, with \\r\\n as in SDP."""
    parts = [_DATA] * data + [_AUDIO] * audio + [_VIDEO] * video
    bundle = " ".join(["0"] * data + ["1"] * audio + ["2"] * video)
    text = _SESSION + "a=ice-lite\n" * lite + "".join(parts)
    filled = text.format(fingerprint=FINGERPRINT, bundle=bundle, ufrag=credentials.ufrag, password=credentials.password)
    return filled.replace("\n", "\r\n")
