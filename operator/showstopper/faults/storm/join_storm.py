"""joinStorm: visitors join the room through the targets, all at once or at a rate, and each tries once."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from pydantic import ValidationError

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.storm import JoinStorm, MediaPort, StormArrivals, StormFigures, StormGate
from showstopper.api.reasons import Reason
from showstopper.api.schema.quantities import format_duration
from showstopper.availability.verdict import Finding
from showstopper.faults.behaviour import Ground
from showstopper.faults.crowd import CrowdBehaviour, Task, addresses_of, port_of
from showstopper.faults.flood.sending import Endpoint
from showstopper.faults.network.traffic import NetworkEffect
from showstopper.faults.observed import Observed, deserted, names
from showstopper.faults.storm import schedule, settings, text
from showstopper.faults.storm.settings import MakeJoins
from showstopper.faults.storm.storm_gate import storm_gate

MODULE = "showstopper.audio.crowd.storm.process"


class JoinStormBehaviour(CrowdBehaviour[JoinStorm]):
    """Proven when every join was tried in its time, and packets of them arrived at every single target."""

    kind: ClassVar[type[FaultKind]] = JoinStorm
    action: ClassVar[str] = "storms"
    role: ClassVar[str] = "storm"
    missing: ClassVar[Reason] = Reason.STORM_MISSING
    reports: ClassVar[bool] = True

    def objections(self, fault: Fault, ground: Ground) -> Iterator[Finding]:
        """A port that takes no joins, joins that do not fit, and sound that would come from elsewhere."""
        yield from super().objections(fault, ground)
        yield from _of_port(fault, ground)
        yield from _of_joins(fault)
        if not _spec(fault).signalling_only:
            yield from _of_media(fault, ground)

    def gate(self, fault: Fault, ground: Ground) -> StormGate:
        """TCP to the port that takes joins and, of a full storm, UDP to the component's ports of media."""
        media = () if _spec(fault).signalling_only else _media(fault, ground)
        return StormGate(signalling=_number(fault, ground), media=media)

    def gate_effect(self, fault: Fault, ground: Ground) -> NetworkEffect:
        """The same as rules are made of it."""
        return storm_gate(self.role, addresses_of(ground), self.gate(fault, ground))

    def arrivals(self, fault: Fault, ground: Ground) -> StormArrivals:
        """What comes to the port that takes joins."""
        return StormArrivals(signalling=_number(fault, ground))

    def task(self, fault: Fault, ground: Ground, end: datetime) -> Task:
        """Joins through all targets in turn, over before the gate is shut."""
        spec, port = _spec(fault), _number(fault, ground)
        assert fault.duration is not None
        joins = _joins(fault)
        make = MakeJoins(
            targets=tuple(Endpoint(pod.address, port) for pod in sorted(ground.targets, key=lambda pod: pod.name)),
            joins=joins,
            lasts=fault.duration - timedelta(seconds=schedule.LEAVE_SECONDS),
            end=end,
            rate=spec.rate,
            ramp=spec.ramp or timedelta(),
            full=not spec.signalling_only,
            hidden=spec.hidden,
        )
        memory = (128 + joins // 5, 512 + joins // 2)  # as the crowd's: 260 MB for a thousand (measured)
        return Task(MODULE, settings.environment(make), joins=True, cpu="200m", memory=memory)

    def excuse(self, report: Mapping[str, Any]) -> str:
        """What ended the storm, and what most visitors were told."""
        figures = self.figures_of(report)
        said = f"its storm ended by {report.get('ended_by')} after {figures.attempts if figures else 0} joins"
        return f"{said}; {figures.message}" if figures is not None and figures.message else said

    def figures_of(self, report: Mapping[str, Any]) -> StormFigures | None:
        """What its last line says came of it."""
        try:
            return StormFigures.model_validate(report.get("storm"))
        except ValidationError:
            return None

    def proof(self, observed: Observed) -> Finding | None:
        """What is missing: joins that left, targets at which some arrived, or a word on what came of them."""
        if (nobody := deserted(observed)) is not None:
            return nobody
        if not observed.gates or not all(gate.proven for gate in observed.gates):
            return Finding(Reason.NO_EFFECT, "made no join: no packet passed its gate")
        if unproven := observed.unproven:
            return Finding(
                Reason.NO_EFFECT,
                f"sent {observed.sent} packets, and none arrived at {names(unproven)}: look at the network between "
                "them, and at NetworkPolicies",
            )
        if observed.storm is not None:
            return _another_storm(observed.storm)
        if not observed.over:
            return None
        return Finding(Reason.NO_EFFECT, "does not say what came of its joins: its pod was gone before it could")

    def figures(self, observed: Observed) -> str:
        """What came of the joins, once it is known; until then, and of one target, what arrived."""
        if observed.storm is not None:
            return text.words(observed.storm)
        if not observed.gates:
            return f"{observed.affected} packets of the storm arrived"
        return f"{observed.sent} packets of joins sent, {observed.affected} arrived"


def _another_storm(storm: StormFigures) -> Finding | None:
    """It was not the storm that was declared."""
    wrong = None
    if storm.attempts < storm.asked:
        wrong = f"tried {storm.attempts} of {storm.asked} joins"
    elif storm.unknown:
        wrong = f"knows nothing of {storm.unknown} of {storm.asked} joins: its own process failed, or stood still"
    elif storm.late_seconds >= schedule.LATEST_SECONDS:
        wrong = f"made a join {storm.late_seconds:.1f} s too late"
    if wrong is None:
        return None
    return Finding(
        Reason.WRONG_DOSE,
        f"{wrong}; another storm than the declared one was tested: give its node more processor time, or write fewer "
        "joins or a lower rate",
    )


def _of_port(fault: Fault, ground: Ground) -> Iterator[Finding]:
    port = port_of(fault, ground)
    if port is not None and port.protocol != "TCP":
        yield Finding(
            Reason.UNKNOWN_PORT,
            f"port {port.name} of component {fault.component} is one of {port.protocol}, and joins go over TCP "
            f"(fault {fault.name}): name the port of livekit.url, with protocol: TCP",
        )


def _of_joins(fault: Fault) -> Iterator[Finding]:
    """Joins that one pod does not make, or that do not fit into the fault's time."""
    spec, joins = _spec(fault), _joins(fault)
    assert fault.duration is not None
    if joins > schedule.MOST_JOINS:
        yield Finding(
            Reason.TOO_MANY_JOINS,
            f"fault {fault.name} has {joins} joins, and one pod makes {schedule.MOST_JOINS} at the most: write a lower "
            "rate, fewer joins, or a shorter duration",
        )
    needed = schedule.needed(joins, spec.rate, _ramp(spec))
    if needed > fault.duration.total_seconds():
        at_least = format_duration(timedelta(seconds=round(needed + 0.0005, 3)))
        yield Finding(
            Reason.DURATION_TOO_SHORT,
            f"fault {fault.name} has {joins} joins and a duration of {format_duration(fault.duration)}: write a "
            f"duration of at least {at_least}, in which the last visitor joins, and all leave",
        )


def _of_media(fault: Fault, ground: Ground) -> Iterator[Finding]:
    """Sound that would not come through the gate, which leads to the targets alone."""
    instead = "or write signallingOnly: true"
    if fault.target is not None and not fault.target.serving:
        yield Finding(
            Reason.MEDIA_UNREACHABLE,
            f"the visitors of fault {fault.name} take the sound, which comes from the relay that serves, and their "
            f"gate leads to the targets alone: write serving: true in the target, {instead}",
        )
    if not _media(fault, ground):
        yield Finding(
            Reason.MEDIA_UNREACHABLE,
            f"the visitors of fault {fault.name} take the sound, and component {fault.component} declares no UDP port: "
            f"declare those that media comes by, {instead}",
        )
    for pod in ground.targets:
        elsewhere = sorted({host for host, _ in pod.media} - {pod.address, *pod.addresses})
        if elsewhere:
            yield Finding(
                Reason.MEDIA_UNREACHABLE,
                f"listeners get the sound of pod {pod.namespace}/{pod.name} from {elsewhere[0]}, which is not its own "
                f"address, and the gate of fault {fault.name} leads to pods alone: write signallingOnly: true",
            )


def _media(fault: Fault, ground: Ground) -> tuple[MediaPort, ...]:
    component = ground.component(fault)
    ports = component.ports if component is not None else ()
    return tuple(MediaPort(port=port.port, end_port=port.end_port) for port in ports if port.protocol == "UDP")


def _number(fault: Fault, ground: Ground) -> int:
    port = port_of(fault, ground)
    assert port is not None, "the planner has refused a port that the room does not declare"
    return port.port


def _joins(fault: Fault) -> int:
    """How many joins it makes: as many as are declared, or as its rate makes of its time."""
    spec = _spec(fault)
    if spec.joins is not None:
        return spec.joins
    assert spec.rate is not None
    assert fault.duration is not None
    return schedule.joins_of(fault.duration.total_seconds(), spec.rate, _ramp(spec))


def _ramp(spec: JoinStorm) -> float:
    return spec.ramp.total_seconds() if spec.ramp is not None else 0.0


def _spec(fault: Fault) -> JoinStorm:
    assert fault.join_storm is not None
    return fault.join_storm
