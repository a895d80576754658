"""What a flooder is told: the environment of its container, as the operator writes it and the flooder reads it."""

from showstopper.faults import task
from showstopper.faults.flood.sending import SendPackets
from showstopper.faults.task import Names

TARGETS = "SHOWSTOPPER_FLOOD_TARGETS"
WITHIN = "SHOWSTOPPER_FLOOD_WITHIN"
SPECIAL = "SHOWSTOPPER_FLOOD_SPECIAL"
SHAPE = "SHOWSTOPPER_FLOOD_SHAPE"
SIZE = "SHOWSTOPPER_FLOOD_SIZE"
RATE = "SHOWSTOPPER_FLOOD_RATE"
SOURCES = "SHOWSTOPPER_FLOOD_SOURCES"
SECONDS = "SHOWSTOPPER_FLOOD_SECONDS"
PACKETS = "SHOWSTOPPER_FLOOD_PACKETS"
END = "SHOWSTOPPER_FLOOD_END"
REPORT = "SHOWSTOPPER_FLOOD_REPORT"
GATE = "SHOWSTOPPER_FLOOD_GATE"
TASK = Names(targets=TARGETS, within=WITHIN, special=SPECIAL, end=END, report=REPORT, gate=GATE)

AS_FAST_AS_POSSIBLE = "max"
"""What RATE holds when there is no rate: leaving it out is a mistake and not a flood without bounds."""


def environment(send: SendPackets) -> dict[str, str]:
    """The environment of the flooder's container."""
    flood = send.flood
    return {
        **task.environment(TASK, send.targets, send.end),
        SHAPE: flood.shape.value,
        SIZE: str(flood.size),
        RATE: AS_FAST_AS_POSSIBLE if flood.rate is None else str(flood.rate),
        SOURCES: str(flood.sources),
        SECONDS: f"{flood.duration.total_seconds():g}",
        PACKETS: str(send.packets),
    }
