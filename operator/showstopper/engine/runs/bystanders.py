"""Bystanders: pods of the room's components beside the targets, noted while they are there, missed when they are gone.

The note is in the run's record, so that a pod is also missed that goes while no operator runs. Of a component whose
workload a fault changes, the pods of before are the fault's to take, and so are those that it has made itself: only
who came after the last of its changes is nobody's but the room's.
"""

from collections.abc import Collection, Iterable

from showstopper.api.faults.base import Aim
from showstopper.api.run import UID_LENGTH, ChangeRecord, ExperimentRun
from showstopper.clock import from_timestamp
from showstopper.engine.rooms.components import ComponentPod

AROUND_SECONDS = 3.0
"""For how long before a change was answered a pod may show to be made that came of it: times of creation are whole
seconds, of the API server's clock, and its answer takes some time."""


class Bystanders:
    """Those of one run. The names of pods are only known to who has seen them."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def note(self, run: ExperimentRun, pods: Iterable[ComponentPod]) -> list[str]:
        """What the record is to have of those of these pods that are bystanders, and were not noted before."""
        unknown = [pod for pod in pods if _short(pod.uid) not in self._names]
        changes = _changes(run) if unknown else {}
        noted = {_short(pod.uid): pod.name for pod in unknown if _is_spared(pod, changes.get(pod.component))}
        self._names |= noted
        return list(noted)

    def gone(self, run: ExperimentRun, there: Collection[str]) -> list[str]:
        """Names of the bystanders that are gone. A target is none, though it may have been noted before it was chosen.

        Args:
            run: with its record.
            there: UIDs of the pods that nobody has told to end.
        """
        others = {_short(uid) for uid in (*there, *(target.uid for target in run.status.targets))}
        return sorted(self._names.get(uid, f"pod of UID {uid}") for uid in run.status.bystanders if uid not in others)


def _changes(run: ExperimentRun) -> dict[str | None, list[ChangeRecord]]:
    """By component, the changes of its workload that end pods of it."""
    return {
        component: [change for change in run.status.changes if run.fault(change.fault).component == component]
        for component in {
            fault.component for fault in run.spec.faults if fault.aim is Aim.WORKLOAD and fault.spec.ends_targets
        }
    }


def _is_spared(pod: ComponentPod, changes: list[ChangeRecord] | None) -> bool:
    """Whether no change takes a pod: there is none, or the last one was over when it was made."""
    if changes is None:
        return True
    over = [change.restored_at or change.left_at if change.lasts else change.changed_at for change in changes]
    times = [from_timestamp(moment) for moment in over if moment]
    return bool(times) and len(times) == len(over) and from_timestamp(pod.created) > max(times) - AROUND_SECONDS


def _short(uid: str) -> str:
    """What the record has of a UID."""
    return uid[:UID_LENGTH]
