"""What all storms have in common: so many tries in a time, by a pod behind its gate, which says what came of each."""

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from pydantic import ValidationError

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.storm import MediaPort, StormArrivals, StormFigures, StormGate
from showstopper.api.reasons import Reason
from showstopper.api.schema.quantities import format_duration
from showstopper.availability.verdict import Finding
from showstopper.faults.behaviour import FaultContext
from showstopper.faults.crowd import CrowdBehaviour, addresses_of, port_of
from showstopper.faults.endpoint import Endpoint
from showstopper.faults.network.traffic import NetworkEffect
from showstopper.faults.observed import Observed, deserted, names
from showstopper.faults.storm import schedule, settings, text
from showstopper.faults.storm.settings import Comeback, Depth, MakeTries
from showstopper.faults.storm.storm_gate import storm_gate
from showstopper.faults.task import Task

MODULE = "showstopper.audio.crowd.storm.process"
OUR_REFUSALS = frozenset({"Unauthorized", "NoUdp"})
"""Refusals that come of who joins, and say nothing of the room: its token, and that it knows no media by TCP."""
LEAST_ARRIVED = 0.5
"""Packets of a target's share of the tries that have to arrive there: each try sends some, and targets take turns. Half
of it is our choice, for counters are read beside the tries, not with them."""
S = TypeVar("S", bound=FaultKind)


@dataclass(frozen=True, slots=True)
class Order:
    """How much of a storm is declared.

    Attributes:
        tries: how many; None: what the rate makes of the time.
        rate: tries a second; None: all at once.
        ramp: seconds over which the rate grows evenly from nothing.
        depth: how far each goes.
        hidden: whether nobody in the room is told of who joins.
        comeback: how clients are dropped and come back; None: everybody tries once.
    """

    tries: int | None
    rate: int | None
    depth: Depth
    ramp: float = 0.0
    hidden: bool = False
    comeback: Comeback | None = None

    def number(self, duration: timedelta) -> int:
        """How many tries a fault of that duration has."""
        if self.tries is not None:
            return self.tries
        assert self.rate is not None, "without a number there is a rate: the model sees to that"
        return schedule.tries_of(duration.total_seconds(), self.rate, self.ramp)


class StormBehaviour(CrowdBehaviour[S]):
    """A storm. Proven when every try was made in its time, and packets of them arrived at every single target.

    Attributes:
        noun: what a try is.
        taken: what came of one that did not fail.
        joins: whether whoever tries is to get in, and shows a token.
        most: how many one pod makes.
    """

    role: ClassVar[str] = "storm"
    missing: ClassVar[Reason] = Reason.STORM_MISSING
    reports: ClassVar[bool] = True
    noun: ClassVar[str]
    taken: ClassVar[str]
    joins: ClassVar[bool] = False
    most: ClassVar[int]

    @abstractmethod
    def order(self, fault: Fault) -> Order:
        """How much of it is declared."""

    def objections(self, fault: Fault, context: FaultContext) -> Iterator[Finding]:
        """A port of another protocol, tries that one pod does not make in the time, and sound from elsewhere."""
        yield from super().objections(fault, context)
        port = port_of(fault, context)
        if port is not None and port.protocol != "TCP":
            yield Finding(
                Reason.UNKNOWN_PORT,
                f"port {port.name} of component {fault.component} is one of {port.protocol}, and {self.noun}s go over "
                f"TCP (fault {fault.name}): name the port of livekit.url, with protocol: TCP",
            )
        yield from self.of_number(fault)
        if self.order(fault).depth is Depth.FULL:
            yield from _of_media(fault, context)

    def gate(self, fault: Fault, context: FaultContext) -> StormGate:
        """TCP to the port and, where visitors take the sound, UDP to the component's ports of media."""
        media = _media_ports(fault, context) if self.order(fault).depth is Depth.FULL else ()
        return StormGate(signalling=_number(fault, context), media=media)

    def gate_effect(self, fault: Fault, context: FaultContext) -> NetworkEffect:
        """The same as rules are made of it."""
        return storm_gate(self.role, addresses_of(context), self.gate(fault, context))

    def arrivals(self, fault: Fault, context: FaultContext) -> StormArrivals:
        """What comes to the port."""
        return StormArrivals(signalling=_number(fault, context))

    def task(self, fault: Fault, context: FaultContext, end: datetime) -> Task:
        """Tries at all targets in turn, over before the gate is shut."""
        order, port = self.order(fault), _number(fault, context)
        assert fault.duration is not None
        tries = order.number(fault.duration)
        make = MakeTries(
            targets=tuple(Endpoint(pod.address, port) for pod in sorted(context.targets, key=lambda pod: pod.name)),
            tries=tries,
            lasts=fault.duration - timedelta(seconds=schedule.LEAVE_SECONDS),
            end=end,
            rate=order.rate,
            ramp=order.ramp,
            depth=order.depth,
            hidden=order.hidden,
            comeback=order.comeback,
        )
        clients = order.comeback.clients if order.comeback is not None else tries
        memory = (128 + clients // 5, 512 + clients // 2)  # as the crowd's: 260 MB for a thousand (measured)
        return Task(MODULE, settings.environment(make), joins=order.depth.joins, cpu="200m", memory=memory)

    def excuse(self, report: Mapping[str, Any]) -> str:
        """What ended the storm, and what most were told who were refused."""
        figures = self.figures_of(report)
        said = f"its storm ended by {report.get('ended_by')} after {figures.attempts if figures else 0} {self.noun}s"
        return f"{said}; {figures.message}" if figures is not None and figures.message else said

    def figures_of(self, report: Mapping[str, Any]) -> StormFigures | None:
        """What its last line says came of it."""
        try:
            return StormFigures.model_validate(report.get("storm"))
        except ValidationError:
            return None

    def proof(self, observed: Observed) -> Finding | None:
        """What is missing: tries that left, targets at which some arrived, or a word on what came of them."""
        if (nobody := deserted(observed)) is not None:
            return nobody
        if not observed.gates or not all(gate.proven for gate in observed.gates):
            return Finding(Reason.NO_EFFECT, f"made no {self.noun}: no packet passed its gate")
        if unproven := observed.unproven:
            return Finding(
                Reason.NO_EFFECT,
                f"sent {observed.sent} packets, and none arrived at {names(unproven)}: look at the network between "
                "them, and at NetworkPolicies",
            )
        if observed.storm is not None:
            return self.of_figures(observed.storm) or self._starved(observed, observed.storm)
        if not observed.over:
            return None
        said = f"does not say what came of its {self.noun}s: its pod was gone before it could"
        return Finding(Reason.NO_EFFECT, said)

    def figures(self, observed: Observed) -> str:
        """What came of the tries, once it is known; until then, and of one target, what arrived."""
        if observed.storm is not None:
            return text.words(observed.storm, self.noun, self.taken)
        if not observed.gates:
            return f"{observed.affected} packets of the storm arrived"
        return f"{observed.sent} packets of {self.noun}s sent, {observed.affected} arrived"

    def of_number(self, fault: Fault) -> Iterator[Finding]:
        """Why so many are not made in that time."""
        order = self.order(fault)
        assert fault.duration is not None
        tries = order.number(fault.duration)
        if tries > self.most:
            yield Finding(
                Reason.STORM_TOO_LARGE,
                f"fault {fault.name} has {tries} {self.noun}s, and one pod makes {self.most} at the most: write a "
                f"lower rate, fewer {self.noun}s, or a shorter duration",
            )
        needed = schedule.needed(tries, order.rate, order.ramp)
        if needed > fault.duration.total_seconds() + 1e-6:  # floats do not add up to the last digit
            yield Finding(
                Reason.DURATION_TOO_SHORT,
                f"fault {fault.name} has {tries} {self.noun}s and a duration of {format_duration(fault.duration)}: "
                f"write a duration of at least {at_least(needed)}, in which the last {self.noun} is made, and all are "
                "ended",
            )

    def of_figures(self, storm: StormFigures) -> Finding | None:
        """Why it was not the storm that was declared; None: it was."""
        if self.joins and (ours := [each for each in storm.refused if each.reason in OUR_REFUSALS]):
            said = ", ".join(f"{each.count} {each.reason}" for each in ours)
            return Finding(
                Reason.WRONG_DOSE,
                f"had {self.noun}s refused by its own doing ({said} of {storm.asked}); another storm than the declared "
                "one was tested: look at the key that the AudioRoom names, and at what they were told most often: "
                f"{storm.message}",
            )
        wrong = None
        if storm.attempts < storm.asked:
            wrong = f"tried {storm.attempts} of {storm.asked} {self.noun}s"
        elif storm.unknown:
            wrong = (
                f"knows nothing of {storm.unknown} of {storm.asked} {self.noun}s: its own process failed, or "
                "stood still"
            )
        elif storm.late_seconds >= schedule.LATEST_SECONDS:
            wrong = f"made a {self.noun} {storm.late_seconds:.1f} s too late"
        if wrong is None:
            return self._unanswered(storm)
        return Finding(
            Reason.WRONG_DOSE,
            f"{wrong}; another storm than the declared one was tested: give its node more processor time, or write "
            f"fewer {self.noun}s or a lower rate",
        )

    def _starved(self, observed: Observed, storm: StormFigures) -> Finding | None:
        """Whether a target got so little that not all of its tries can have come to it."""
        share = storm.attempts / max(1, len(observed.targets))
        starved = [each for each in observed.targets if not each.gone and each.affected < LEAST_ARRIVED * share]
        if not starved:
            return None
        arrived = ", ".join(f"{each.affected} at {each.pod}" for each in starved[:5])
        return Finding(
            Reason.WRONG_DOSE,
            f"made {storm.attempts} {self.noun}s at {len(observed.targets)} targets, each of a packet or more, and of "
            f"these arrived {arrived}: look at the network between them",
        )

    def _unanswered(self, storm: StormFigures) -> Finding | None:
        """Why nobody may have taken the tries, although their packets came as far as the targets.

        A relay that lets nobody in says so at least once. A mesh or a policy in front of it says nothing.
        """
        if storm.answered or storm.let_in:
            return None
        return Finding(
            Reason.NO_EFFECT,
            f"had none of its {storm.attempts} {self.noun}s answered ({text.reasons(storm)}), so that it is "
            "not known whether its targets took any: look at NetworkPolicies, sidecars, and the logs of the targets",
        )


def at_least(seconds: float) -> str:
    """A duration that is not shorter, as people write it."""
    return format_duration(timedelta(milliseconds=math.ceil(round(seconds * 1000, 3))))


def _of_media(fault: Fault, context: FaultContext) -> Iterator[Finding]:
    """Why visitors would get no sound through their gate, which leads to the targets alone."""
    instead = "or write signallingOnly: true"
    if fault.target is not None and not fault.target.serving:
        yield Finding(
            Reason.MEDIA_UNREACHABLE,
            f"the visitors of fault {fault.name} take the sound, which comes from the relay that serves, and their "
            f"gate leads to the targets alone: write serving: true in the target, {instead}",
        )
    if not _media_ports(fault, context):
        yield Finding(
            Reason.MEDIA_UNREACHABLE,
            f"the visitors of fault {fault.name} take the sound, and component {fault.component} declares no UDP port: "
            f"declare those that media comes by, {instead}",
        )
    for pod in context.targets:
        elsewhere = sorted({host for host, _ in pod.media} - {pod.address, *pod.addresses})
        if elsewhere:
            yield Finding(
                Reason.MEDIA_UNREACHABLE,
                f"listeners get the sound of pod {pod.namespace}/{pod.name} from {elsewhere[0]}, which is not its own "
                f"address, and the gate of fault {fault.name} leads to pods alone: write signallingOnly: true",
            )


def _media_ports(fault: Fault, context: FaultContext) -> tuple[MediaPort, ...]:
    """The ports of the fault's component that media comes by: those of UDP."""
    component = context.component(fault)
    ports = component.ports if component is not None else ()
    return tuple(MediaPort(port=port.port, end_port=port.end_port) for port in ports if port.protocol == "UDP")


def _number(fault: Fault, context: FaultContext) -> int:
    port = port_of(fault, context)
    assert port is not None, "the planner has refused a port that the room does not declare"
    return port.port
