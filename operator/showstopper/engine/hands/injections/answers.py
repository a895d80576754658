"""The executors' answers: what the statuses of a run's Injections amount to for each fault. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Aim, FaultKind, Hand
from showstopper.api.faults.flood import FloodFigures
from showstopper.api.faults.gates import Gate
from showstopper.api.faults.storm import StormFigures
from showstopper.api.injection import LEASE_LABEL, Executor, InjectedTarget, Injection, InjectionTarget, TargetState
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp
from showstopper.cluster.kinds import INJECTION, LEASE
from showstopper.engine.hands.injections.asking import SUCCESSOR_LABEL
from showstopper.errors import AgentsDisabled
from showstopper.faults import registry
from showstopper.faults.behaviour import Behaviour
from showstopper.faults.crowd import CrowdFigures
from showstopper.faults.observed import Observed, ObservedTarget

SUCCESSOR_SECONDS = 5.0
"""How long a successor must have been hit before it has to be proven, as the targets before it have."""
CUT_SHORT = {Reason.LEASE_LOST, Reason.AGENT_STOPPED, Reason.AGENT_FAILED, Reason.NOT_KEPT_UP}
"""An Injection that ended so had ended before its end was asked for, also where that was asked for since."""
_MISSING = {Aim.HOST.lower(): Reason.HOST_MISSING, Aim.DOOR.lower(): Reason.DOOR_MISSING}


@dataclass(frozen=True, slots=True)
class Answers:
    """What the executors of one fault have said, over all its Injections.

    Attributes:
        fault: as the run declares it.
        places: every target that was asked for, with the node whose agent was asked, if one was.
        targets: what is known of them.
        gated: of a fault of the crowd, how many pods have a gate, which are no targets.
        gates: what is known of those.
        remains: what is still there that is no agent's to remove, for a person.
        probed: TCP ports at which the fault meets the kubelet's probes too.
        said: what the pod of a fault of the crowd has said of it at its end.
        silent: executors that have not answered.
        trouble: why it ended, or never began, though nobody had asked for its end.
        cut_short: why it had ended when its end was asked for.
        successors: UIDs of the targets that have replaced others.
    """

    fault: Fault
    places: tuple[tuple[str, InjectionTarget], ...]
    targets: tuple[InjectedTarget, ...]
    silent: tuple[Executor, ...]
    backend: str | None
    trouble: Finding | None
    cut_short: Finding | None = None
    successors: frozenset[str] = frozenset()
    gated: int = 0
    gates: tuple[InjectedTarget, ...] = ()
    remains: str = ""
    probed: tuple[int, ...] = ()
    said: CrowdFigures | None = None

    @property
    def storm(self) -> StormFigures | None:
        """What came of a storm, by its own account. None: it is none, or has not said it."""
        return self.said if isinstance(self.said, StormFigures) else None

    @property
    def flood(self) -> FloodFigures | None:
        """What a flooder said at its end. None: it is none, or has not been asked."""
        return self.said if isinstance(self.said, FloodFigures) else None

    @property
    def hits(self) -> tuple[InjectedTarget, ...]:
        """All that is asked for."""
        return (*self.gates, *self.targets)

    @property
    def wanted(self) -> int:
        """How many pods there are that agents do something to."""
        return len(self.places) + self.gated

    @property
    def armed(self) -> bool:
        """Every target was hit, at some time. Successors may have gone before."""
        return len(self.hits) == self.wanted and all(hit.armed_at or hit.uid in self.successors for hit in self.hits)

    @property
    def armed_at(self) -> str | None:
        """When the first target was hit, or the first gate of a fault of the crowd was open. None: not so far."""
        return min((hit.armed_at for hit in self.gates or self.targets if hit.armed_at), default=None)

    @property
    def lifted_at(self) -> str | None:
        """When the last target was free again, or the last gate was shut. None: it is not over."""
        lifted = [hit.lifted_at for hit in self.gates or self.targets if hit.armed_at and hit.lifted_at]
        return max(lifted, default=None) if self.over else None

    @property
    def matched(self) -> int:
        """Number of packets that the fault was meant for. Of a fault of the crowd, those that were sent."""
        if self.gates:
            return sum(gate.last.affected for gate in self.gates if gate.last)
        return sum(target.last.matched for target in self.targets if target.last)

    @property
    def affected(self) -> int:
        """Number of packets that it affected. Of a fault of the crowd, those that arrived."""
        return sum(target.last.affected for target in self.targets if target.last)

    @property
    def proven(self) -> bool:
        """Every target was hit, and nothing is missing for the proof as far as agents can tell."""
        return self.missing() is None

    @property
    def behaviour(self) -> Behaviour[FaultKind]:
        """What the fault's kind says of proof and figures."""
        return registry.of(self.fault.spec)

    def missing(self) -> Finding | None:
        """What is missing for the proof as far as agents can tell."""
        missing = self.behaviour.proof(self.observed())
        if missing is None and not self.armed:
            armed = sum(hit.armed_at is not None for hit in self.hits)
            return Finding(Reason.NO_EFFECT, f"was set up on {armed} of {self.wanted} targets")
        return missing

    def observed(self, quiet: Collection[str] | None = None) -> Observed:
        """The same for the proof and the figures of the fault's kind.

        A successor may be there too late to see traffic: it is excused.

        Args:
            quiet: UIDs of the targets from which listeners get no media any more; None: nobody has looked.
        """
        return Observed(
            self.fault.name,
            tuple(
                ObservedTarget.injected(
                    target,
                    excused=target.uid in self.successors and _armed_seconds(target) < SUCCESSOR_SECONDS,
                    quiet=None if quiet is None else target.uid in quiet,
                )
                for target in self.targets
            ),
            tuple(map(ObservedTarget.injected, self.gates)),
            self.fault.spec,
            self.fault.duration.total_seconds() if self.fault.duration is not None else None,
            self.storm,
            self.flood,
        )

    @property
    def in_force(self) -> float:
        """For how many seconds targets were hit, over all of them, by their agents' clocks.

        Of a fault of the crowd, what arrives is counted before its gate opens: that time is no part of it.
        """
        since = self.armed_at if self.fault.spec.hand is Hand.CROWD else None
        return sum(_armed_seconds(target, since) for target in self.targets)

    @property
    def over(self) -> bool:
        """No executor has anything left to do."""
        return len(self.hits) == self.wanted and all(hit.state is not TargetState.ARMED for hit in self.hits)

    @property
    def reverted(self) -> bool:
        """Nothing of it is left: it was looked for, or went with the pod or its container."""
        clean = {TargetState.LIFTED, TargetState.GONE}
        return not self.remains and len(self.hits) == self.wanted and all(hit.state in clean for hit in self.hits)


def answers(
    injections: Sequence[Injection], fault: Fault, *, remains: str = "", said: CrowdFigures | None = None
) -> Answers:
    """What the agents report of a fault.

    Args:
        injections: of the run.
        fault: of the run.
        remains: what is still there that is no agent's to remove.
        said: what the pod of a fault of the crowd has said of it at its end.
    """
    own = [injection for injection in injections if injection.spec.fault == fault.name]
    gates = [injection for injection in own if isinstance(injection.spec.spec, Gate)]
    troubles = [trouble for trouble in map(_trouble, own) if trouble is not None]
    return Answers(
        fault=fault,
        places=tuple(
            (injection.spec.executor.node, target)
            for injection in own
            if injection not in gates
            for target in injection.spec.targets
        ),
        targets=tuple(target for injection in own if injection not in gates for target in injection.status.targets),
        gated=sum(len(injection.spec.targets) for injection in gates),
        gates=tuple(gate for injection in gates for gate in injection.status.targets),
        silent=tuple(sorted({each.spec.executor for each in own if each.status.observed_generation < 0})),
        backend=next((injection.status.backend for injection in own if injection.status.backend), None),
        trouble=next(iter(troubles), None),
        cut_short=next((trouble for trouble in troubles if trouble.reason in CUT_SHORT), None),
        successors=frozenset(
            target.uid for injection in own if _is_successor(injection) for target in injection.spec.targets
        ),
        remains=remains,
        probed=_probed(own),
        said=said,
    )


def _probed(injections: Sequence[Injection]) -> tuple[int, ...]:
    hit = [each.spec.probes for each in injections if each.spec.probes is not None and not each.spec.probes.spared]
    return tuple(sorted({port for probes in hit for port in probes.ports}))


def unanswered(silent: Collection[Executor]) -> Finding:
    """Why not everything was set up in time."""
    if nodes := sorted(each.node for each in silent if each.node):
        return Finding(
            Reason.AGENT_MISSING,
            f"no agent answers on node {', '.join(nodes)}: look at the showstopper-agent pods there, "
            "or install the chart with agent.enabled=true",
        )
    if (on_itself := _first_part(silent)) is not None:
        part, pods = on_itself
        return Finding(
            _MISSING[part],
            f"the {part} does not answer what it is asked for: look at the log of pod {', '.join(pods)}",
        )
    return Finding(Reason.NOT_ARMED, "the executors could not set everything up in time: look at the Injections")


def unheard(silent: Sequence[Injection], seconds: float) -> Finding | None:
    """Executors that had begun, and say nothing any more, are dead or cut off."""
    executors = {each.spec.executor for each in silent if each.status.observed_generation >= 0}
    if (on_itself := _first_part(executors)) is not None:
        part, pods = on_itself
        return Finding(
            Reason.LEASE_LOST,
            f"the {part} has not reported for {seconds:g} s, and its fault expired with the lease: look at pod "
            f"{', '.join(pods)}",
        )
    if not (nodes := sorted(each.node for each in executors)):
        return None
    return Finding(
        Reason.LEASE_LOST,
        f"the agent on node {', '.join(nodes)} has not reported for {seconds:g} s, and its faults expired with the "
        "lease: look at the showstopper-agent pods there",
    )


def _first_part(executors: Iterable[Executor]) -> tuple[str, list[str]] | None:
    """The first part of the stage among them, and its pods. None: they are all agents."""
    on_itself = sorted((each.part, each.pod) for each in executors if each.pod)
    return (on_itself[0][0], [pod for part, pod in on_itself if part == on_itself[0][0]]) if on_itself else None


def _trouble(injection: Injection) -> Finding | None:
    """An Injection that is over, or was refused, before anybody asked for its end."""
    where = f"fault {injection.spec.fault} on {injection.spec.executor}"
    gone = [target for target in injection.status.targets if target.state is TargetState.GONE]
    if (missed := next((target for target in gone if not target.armed_at), None)) and not _is_successor(injection):
        message = (
            f"{missed.message or missed.pod}: it was deleted while it was being hit; run again when its component rests"
        )
        return Finding(Reason.TARGETS_GONE, f"{where}: {message}")
    stalled = next((each for each in injection.status.conditions if each.type == "Stalled"), None)
    if stalled is None or stalled.status != "True" or (gone and stalled.reason == Reason.TARGETS_GONE):
        return None  # who is gone may be replaced
    message = injection.status.message or stalled.message
    # Nobody renewed what an executor held that died: for the run it is the same whether it came back or not.
    reported = Reason.parse(stalled.reason)
    reason = Reason.LEASE_LOST if reported is Reason.AGENT_RESTARTED else reported
    verdict = Verdict.ABORTED if reason is Reason.STOPPED else Verdict.INCONCLUSIVE
    return Finding(reason, f"{where}: {message}", verdict)


def _is_successor(injection: Injection) -> bool:
    return SUCCESSOR_LABEL in injection.metadata.labels


def _armed_seconds(target: InjectedTarget, since: str | None = None) -> float:
    """For how long it was hit, by its agent's clock, as far as is known. Nothing counts before `since`."""
    seen = target.last or target.processes or target.host or target.door
    end = target.lifted_at or (seen.at if seen else None)
    if not end or not target.armed_at:
        return 0.0
    begin = from_timestamp(target.armed_at)
    return max(0.0, from_timestamp(end) - (max(begin, from_timestamp(since)) if since else begin))


def disabled(run: ExperimentRun, error: AgentsDisabled) -> Finding:
    """The operator may not renew what it has asked agents for: it expired, and nobody saw how long it lasted.

    Injections and Leases belong to their run, and go with it.
    """
    namespace, name = run.key
    return Finding(
        Reason.LEASE_LOST,
        f"{error}: agents were disabled while the run was under way, and its faults expired with its Lease; "
        "what is left of it is deleted with the run, or by: "
        f"kubectl -n {namespace} delete {INJECTION.resource},{LEASE.resource} -l {LEASE_LABEL}={name}",
    )
