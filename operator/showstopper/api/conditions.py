"""Conditions: the status contract that kstatus, Argo CD, Flux and `kubectl wait` read (DESIGN.md, section 2)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from showstopper.api.base import Message, Status, Text, Timestamp


class ConditionType(StrEnum):
    """The types that every resource of ours carries."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    FINISHED = "Finished"
    SUSPENDED = "Suspended"


# Of rooms only, where there is an archive. No tool reads it: what is not archived may still be judged.
ARCHIVED = "Archived"


class Condition(Status):
    """One condition, as metav1.Condition has it."""

    type: Text
    status: Literal["True", "False", "Unknown"]
    reason: Text
    message: Message = ""
    observed_generation: int = 0
    last_transition_time: Timestamp = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where a resource stands, in one of six ways; every condition follows from it."""

    reason: str
    message: str
    ready: Literal["True", "False", "Unknown"] = "Unknown"
    reconciling: bool = False
    stalled: bool = False
    finished: bool = False
    suspended: bool = False

    def __post_init__(self) -> None:
        if self.reconciling and self.stalled:
            raise ValueError("kstatus forbids Reconciling and Stalled together")


def in_progress(reason: str, message: str) -> Outlook:
    """Under way: not ready, not over."""
    return Outlook(reason, message, reconciling=True)


def succeeded(reason: str, message: str) -> Outlook:
    """Over, and passed."""
    return Outlook(reason, message, ready="True", finished=True)


def idle(reason: str, message: str) -> Outlook:
    """Nothing has to be done now, and nothing has been found yet: a schedule will tell when."""
    return Outlook(reason, message, ready="True")


def failed(reason: str, message: str) -> Outlook:
    """Over, and not passed."""
    return Outlook(reason, message, ready="False", stalled=True, finished=True)


def refused(reason: str, message: str) -> Outlook:
    """Nothing can be done until somebody changes something; nothing was started."""
    return Outlook(reason, message, ready="False", stalled=True)


def waiting_for_person(reason: str, message: str) -> Outlook:
    """Suspended, or held: a person has to act."""
    return Outlook(reason, message, ready="False", suspended=True)


def conditions(outlook: Outlook, *, generation: int, now: str, previous: Iterable[Condition] = ()) -> list[Condition]:
    """All five conditions of an outlook; lastTransitionTime moves only with status.

    Args:
        outlook: where the resource stands.
        generation: the generation that this was found for.
        now: RFC 3339 time of this observation.
        previous: the conditions that stood before.
    """
    before = {condition.type: condition for condition in previous}

    def condition(kind: ConditionType, status: Literal["True", "False", "Unknown"]) -> Condition:
        return renewed(before.get(kind), kind, status, outlook.reason, outlook.message, generation=generation, now=now)

    def flag(value: bool) -> Literal["True", "False"]:
        return "True" if value else "False"

    return [
        condition(ConditionType.READY, outlook.ready),
        condition(ConditionType.RECONCILING, flag(outlook.reconciling)),
        condition(ConditionType.STALLED, flag(outlook.stalled)),
        condition(ConditionType.FINISHED, flag(outlook.finished)),
        condition(ConditionType.SUSPENDED, flag(outlook.suspended)),
    ]


def renewed(
    old: Condition | None,
    kind: str,
    status: Literal["True", "False", "Unknown"],
    reason: str,
    message: str,
    *,
    generation: int,
    now: str,
) -> Condition:
    """A condition as it stands now; `old` is the one that stood before."""
    moved = old is None or old.status != status or not old.last_transition_time
    return Condition(
        type=kind,
        status=status,
        reason=reason,
        message=message[:1024],
        observed_generation=generation,
        last_transition_time=now if moved or old is None else old.last_transition_time,
    )


def find(conditions: Sequence[Condition], kind: ConditionType) -> Condition | None:
    """The condition of that type, if there is one."""
    return next((condition for condition in conditions if condition.type == kind), None)


def is_true(conditions: Sequence[Condition], kind: ConditionType) -> bool:
    """Whether the condition of that type stands at True."""
    found = find(conditions, kind)
    return found is not None and found.status == "True"
