"""Relays that are broken on purpose: LiveKit as it is, with one defect that a gate has to find."""

from __future__ import annotations

from pathlib import Path

from dev.cluster import builds, images, stores
from dev.cluster.builds import Patch, Program
from dev.cluster.images import Image

WITHHOLDING = Program(
    "livekit-server",
    builds.LIVEKIT.module,
    builds.LIVEKIT.package,
    expected="about a minute on two cores",
    patch=Patch(
        module="github.com/livekit/livekit-server",
        folder="pkg/sfu",
        added=Path(__file__).with_name("withholding.go"),
        file="downtrack.go",
        after="func (d *DownTrack) WriteRTP(extPkt *buffer.ExtPacket, layer int32) int32 {",
        line="\tif withheld() { return 0 }",
    ),
)
"""Whoever reconnects to this relay gets no media from it for 60 s."""


def withholding() -> Image:
    """The image of that relay, on every node of the embedded cluster."""
    image = images.ensure(images.of_program("livekit", WITHHOLDING))
    stores.load([image])
    return image
