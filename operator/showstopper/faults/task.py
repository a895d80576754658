"""Tasks: what the pod of a crowd's Job is told, as the operator writes it and its program reads it.

Every kind of task has variables of its own, and some that all have: these are here. Without pydantic, for the flooder
does without it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from showstopper.faults.endpoint import Endpoint

GATE_PORT = 7883
"""Where a program waits for its gate on its loopback: who sends there is inside its network, as only the agent is."""
NO_GATE = "none"
"""What the variable of the gate holds where nobody makes one, in benchmarks and tests. Leaving it out is a mistake."""
TERMINATION_MESSAGE = "/dev/termination-log"
"""What is written there stands in the pod's status (terminationMessagePath): nobody has to read logs for it."""
MOST_TARGETS = 100
FURTHEST_END = timedelta(hours=1)
"""How far ahead the absolute end may be."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the pod of a fault does. It is never tried again, and ends by itself.

    Attributes:
        module: the program, a module of the audio image.
        environment: what it is told.
        joins: whether it joins the room, and needs what lets one in.
        cpu: what it asks for. There is no limit: what it sends is bounded by its task, and counted.
        memory: what it asks for, and its limit, in MiB.
    """

    module: str
    environment: Mapping[str, str]
    joins: bool = False
    cpu: str = "50m"
    memory: tuple[int, int] = (32, 128)


@dataclass(frozen=True, slots=True)
class Names:
    """What a kind of task calls the variables that all have.

    Attributes:
        targets: where it sends to: "address:port" with commas between them.
        within: the networks that targets have to be in.
        special: kinds of addresses that are allowed although they are no single pod's. Nobody but tests sets it.
        end: the absolute end, however late its pod could start.
        report: the file that gets the last line, too. May be left out.
        gate: the port of the loopback at which it waits for its gate, or NO_GATE.
    """

    targets: str
    within: str
    special: str
    end: str
    report: str
    gate: str


def environment(names: Names, targets: Iterable[Endpoint], end: datetime) -> dict[str, str]:
    """What every task is told: to send to these targets and to nobody else, behind its gate, until its end."""
    targets = tuple(targets)
    return {
        names.targets: ",".join(map(str, targets)),
        names.within: ",".join(sorted({str(ip_address(target.address)) for target in targets})),
        names.end: end.isoformat(),
        names.report: TERMINATION_MESSAGE,
        names.gate: str(GATE_PORT),
    }
