"""What an executor says of an Injection: from what became of its targets to its status. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from showstopper.api.conditions import (
    ConditionType,
    Outlook,
    conditions,
    failed,
    find,
    idle,
    in_progress,
    refused,
    succeeded,
)
from showstopper.api.injection import InjectedTarget, InjectionSpec, InjectionStatus, TargetState
from showstopper.api.reasons import Reason
from showstopper.faults import registry
from showstopper.faults.observed import Observed


class EndReason(StrEnum):
    """Why a fault has ended, or never began: the reason in its conditions."""

    LIFTED = Reason.LIFTED  # the operator asked for it
    DELETED = Reason.DELETED
    LEASE_LOST = Reason.LEASE_LOST
    STOPPED = Reason.STOPPED  # by the stop switch
    AGENT_STOPPED = Reason.AGENT_STOPPED
    AGENT_RESTARTED = Reason.AGENT_RESTARTED  # an earlier life of the executor had armed it
    REFUSED = Reason.REFUSED
    INVALID = Reason.INVALID  # it cannot be read
    AGENT_FAILED = Reason.AGENT_FAILED

    @property
    def reason(self) -> Reason:
        """The reason in the conditions."""
        return Reason(self.value)


@dataclass(frozen=True, slots=True)
class InjectionState:
    """Where an Injection is, beside its targets.

    Attributes:
        ending: None: it lasts.
        why: a sentence on the ending.
        backend: by what means it is done.
        lease_until: RFC 3339.
    """

    ending: EndReason | None = None
    why: str = ""
    backend: str | None = None
    lease_until: str | None = None


def status(
    spec: InjectionSpec,
    targets: Sequence[InjectedTarget],
    state: InjectionState,
    *,
    generation: int,
    now: str,
    before: InjectionStatus,
) -> InjectionStatus:
    """The whole status of an Injection, for one patch."""
    stands = outlook(spec, targets, state)
    return InjectionStatus(
        observed_generation=generation,
        conditions=conditions(stands, generation=generation, now=now, previous=before.conditions),
        backend=state.backend,
        lease_until=state.lease_until,
        targets=list(targets),
        message=stands.message[:1024],
    )


def invalid(body: Mapping[str, Any], why: str, *, now: str) -> InjectionStatus:
    """The status of an Injection that cannot be read: nothing was done."""
    generation = int(body["metadata"].get("generation", 0))
    stands = conditions(failed(Reason.INVALID, why), generation=generation, now=now)
    return InjectionStatus(observed_generation=generation, conditions=stands, message=why[:1024])


def outlook(spec: InjectionSpec, targets: Sequence[InjectedTarget], state: InjectionState) -> Outlook:
    """Where it stands: arming, waiting for proof, active, being lifted, over: not before every target says so."""
    by_state = {state: [target for target in targets if target.state is state] for state in TargetState}
    left = [part for target in by_state[TargetState.LEFT_OVER] for part in target.leftovers or [target.message or ""]]
    refusals = by_state[TargetState.REFUSED]
    match state.ending:
        case _ if left:
            return failed(Reason.LEFT_OVER, f"left behind: {', '.join(left[:8])}")
        case None if refusals:
            return refused(Reason.REFUSED, refusals[0].message or "a target was refused")
        case None:
            return _lasting(spec, targets)
        case _ if by_state[TargetState.ARMED]:
            return in_progress(Reason.LIFTING, _sums(spec, targets))
        case EndReason.LIFTED | EndReason.DELETED:
            return succeeded(Reason.LIFTED, _sums(spec, targets))
        case ending:
            return failed(ending.reason, state.why or ending.value)


def _lasting(spec: InjectionSpec, targets: Sequence[InjectedTarget]) -> Outlook:
    early = [target for target in targets if target.state is TargetState.LIFTED and target.message]
    if early:
        return failed(Reason.NOT_KEPT_UP, early[0].message or "")
    armed = [target for target in targets if target.state is TargetState.ARMED]
    gone = [target for target in targets if target.state is TargetState.GONE]
    if len(targets) < len(spec.targets):
        return in_progress(Reason.ARMING, f"{len(targets)} of {len(spec.targets)} targets")
    if not armed:
        return failed(Reason.TARGETS_GONE, f"{gone[0].message}" if gone and gone[0].message else "no target is left")
    if not all(target.touched for target in armed):
        return in_progress(Reason.WAITING_FOR_PROOF, _sums(spec, targets))
    return idle(Reason.ACTIVE, _sums(spec, targets))


def _sums(spec: InjectionSpec, targets: Sequence[InjectedTarget]) -> str:
    touched = sum(target.touched for target in targets)
    figures = registry.of(spec.spec).figures(Observed.injected(targets))
    return f"{touched} of {len(targets)} targets affected; {figures}"


def over(
    targets: Iterable[InjectedTarget], why: str, *, now: str, left: Mapping[str, str] | None = None
) -> list[InjectedTarget]:
    """The targets of an earlier life of the executor: what was armed then has been swept.

    Args:
        targets: as they were.
        why: for people.
        now: when they are known to be swept.
        left: what the sweep could not remove, by the target's UID.
    """
    return [_swept(target, why, now, (left or {}).get(target.uid)) for target in targets]


def _swept(target: InjectedTarget, why: str, now: str, left: str | None) -> InjectedTarget:
    if target.state is not TargetState.ARMED:
        return target
    lifted = {"state": TargetState.LIFTED, "lifted_at": now, "message": why}
    return target.model_copy(
        update=lifted if left is None else lifted | {"state": TargetState.LEFT_OVER, "leftovers": [left[:256]]}
    )


def ending_of(status: InjectionStatus) -> EndReason | None:
    """How it ended, by its status. None: it had not."""
    ready = find(status.conditions, ConditionType.READY)
    if ready is None or any(target.state is TargetState.ARMED for target in status.targets):
        return None
    return next((ending for ending in EndReason if ending == ready.reason), None)
