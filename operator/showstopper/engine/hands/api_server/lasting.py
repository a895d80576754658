"""Faults that last and that the operator carries out itself: their state, from their changes and targets. Pure."""

from collections.abc import Iterable, Sequence

from showstopper.api.experiment import Fault
from showstopper.api.reasons import Reason
from showstopper.api.run import ChangeRecord, FaultRecord, TargetRecord
from showstopper.api.verdicts import Verdict
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp
from showstopper.engine.hands.protocol import FaultState
from showstopper.faults import registry
from showstopper.faults.observed import Observed, ObservedTarget


def state(
    fault: Fault, record: FaultRecord, changes: Sequence[ChangeRecord], targets: Sequence[TargetRecord]
) -> FaultState:
    """What is known of the fault.

    Args:
        fault: as it is declared.
        record: as it was written last.
        changes: of the fault, as they are now.
        targets: of the fault, each with when it went.
    """
    over = all(change.restored_at or change.left_at for change in changes)
    armed_at, lifted_at = _first(changes), _last(changes) if over else None
    every = tuple(target.model_copy(update={"armed_at": armed_at, "lifted_at": lifted_at}) for target in targets)
    return FaultState(
        _record(fault, record.model_copy(update={"armed_at": armed_at, "lifted_at": lifted_at}), changes, every),
        every,
        touched=armed_at is not None,
        armed=all(change.changed_at for change in changes),
        over=over,
        changes=tuple(changes),
        trouble=_trouble(changes),
    )


def _record(
    fault: Fault, made: FaultRecord, changes: Sequence[ChangeRecord], targets: Sequence[TargetRecord]
) -> FaultRecord:
    """The record with the fault's times, and what they, its changes and its targets tell of it."""
    behaviour = registry.of(fault.spec)
    read_back = all(change.changed_at for change in changes)
    observed = Observed(fault.name, tuple(map(ObservedTarget.recorded, targets)), spec=fault.spec, read_back=read_back)
    missing = behaviour.proof(observed)
    if made.armed_at is not None and made.lifted_at is not None and fault.duration is not None:
        asked = fault.duration.total_seconds()
        lasted = from_timestamp(made.lifted_at) - from_timestamp(made.armed_at)
        made.asked_for, made.in_force = f"{asked * made.targets:.2f}s", f"{lasted * made.targets:.2f}s"
    made.proven, made.reason = missing is None, missing.reason if missing is not None else None
    made.reverted = all(change.restored_at for change in changes)
    cut_short = [change for change in changes if change.reason is not None and change.changed_at is not None]
    made.cut_short = cut_short[0].reason if cut_short else None
    graver = "; ".join(change.message for change in changes if change.message)
    made.message = (graver or (missing.message if missing is not None else behaviour.outcome(observed)))[:1024]
    return made


def _trouble(changes: Iterable[ChangeRecord]) -> Finding | None:
    """Why the fault could not begin, or did not last."""
    failed = next((change for change in changes if change.reason is not None), None)
    if failed is None:
        return None
    reason = Reason.parse(failed.reason)
    ours = reason in {Reason.INJECTION_FORBIDDEN, Reason.INJECTION_FAILED}
    return Finding(reason, failed.message or "", Verdict.ERROR if ours else Verdict.INCONCLUSIVE)


def _first(changes: Iterable[ChangeRecord]) -> str | None:
    return min((change.changed_at for change in changes if change.changed_at), default=None)


def _last(changes: Iterable[ChangeRecord]) -> str | None:
    return max((at for change in changes if (at := change.restored_at or change.left_at)), default=None)
