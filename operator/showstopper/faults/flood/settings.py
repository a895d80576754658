"""What a flooder is told: the environment of its container, as the operator writes it and the flooder reads it."""

from ipaddress import ip_address

from showstopper.faults.flood.sending import SendPackets

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

AS_FAST_AS_POSSIBLE = "max"
"""What RATE holds when there is no rate: leaving it out is a mistake and not a flood without bounds."""
GATE_PORT = 7883
"""Where the flooder waits for its gate on its loopback: who sends there is inside its network, as only the agent is."""
NO_GATE = "none"
"""What GATE holds where nobody makes one, in benchmarks and tests; leaving it out is a mistake."""
TERMINATION_MESSAGE = "/dev/termination-log"
"""What is written there stands in the pod's status (terminationMessagePath): nobody has to read logs for it."""


def environment(send: SendPackets) -> dict[str, str]:
    """The environment of the flooder's container."""
    flood = send.flood
    return {
        TARGETS: ",".join(map(str, send.targets)),
        WITHIN: ",".join(sorted({str(ip_address(target.address)) for target in send.targets})),
        SHAPE: flood.shape.value,
        SIZE: str(flood.size),
        RATE: AS_FAST_AS_POSSIBLE if flood.rate is None else str(flood.rate),
        SOURCES: str(flood.sources),
        SECONDS: f"{flood.duration.total_seconds():g}",
        PACKETS: str(send.packets),
        END: send.end.isoformat(),
        REPORT: TERMINATION_MESSAGE,
        GATE: str(GATE_PORT),
    }
