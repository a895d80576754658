"""Conditions: the status contract that kstatus, Argo CD, Flux and `kubectl wait` read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from showstopper.api.reasons import Reason
from showstopper.api.schema.base import Message, Status, Text, Timestamp


class ConditionType(StrEnum):
    """Types of condition that every resource of ours carries."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    FINISHED = "Finished"
    SUSPENDED = "Suspended"


ARCHIVED = "Archived"
"""Only on rooms, and only if an archive is configured. No tool reads it: a run that is not archived is judged as
usual."""


class Condition(Status):
    """Condition of the resource, in the form of metav1.Condition."""

    type: Text
    """Type of the condition, such as Ready."""
    status: Literal["True", "False", "Unknown"]
    """Status of the condition."""
    reason: Text
    """Reason for the status, in CamelCase. docs/reasons.md lists all reasons."""
    message: Message = ""
    """Explanation for a person, which names the object at fault and says what to do."""
    observed_generation: int = 0
    """Generation of the spec that the condition is about."""
    last_transition_time: Timestamp = ""
    """When the status of the condition last changed."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """State of a resource, in one of six ways, from which every condition follows."""

    reason: Reason
    message: str
    ready: Literal["True", "False", "Unknown"] = "Unknown"
    reconciling: bool = False
    stalled: bool = False
    finished: bool = False
    suspended: bool = False

    def __post_init__(self) -> None:
        if self.reconciling and self.stalled:
            raise ValueError("kstatus forbids Reconciling and Stalled together")


def in_progress(reason: Reason, message: str) -> Outlook:
    """Under way: neither ready nor over."""
    return Outlook(reason, message, reconciling=True)


def succeeded(reason: Reason, message: str) -> Outlook:
    """Over, and passed."""
    return Outlook(reason, message, ready="True", finished=True)


def idle(reason: Reason, message: str) -> Outlook:
    """Ready, with nothing to do now, such as an experiment that waits for its schedule."""
    return Outlook(reason, message, ready="True")


def failed(reason: Reason, message: str) -> Outlook:
    """Over, and not passed."""
    return Outlook(reason, message, ready="False", stalled=True, finished=True)


def refused(reason: Reason, message: str) -> Outlook:
    """Not started, because something has to be changed first."""
    return Outlook(reason, message, ready="False", stalled=True)


def waiting_for_person(reason: Reason, message: str) -> Outlook:
    """Suspended or held: a person has to act."""
    return Outlook(reason, message, ready="False", suspended=True)


def conditions(outlook: Outlook, *, generation: int, now: str, previous: Iterable[Condition] = ()) -> list[Condition]:
    """All five conditions of an outlook. lastTransitionTime changes only with status.

    Args:
        outlook: the state of the resource.
        generation: the generation that was observed.
        now: RFC 3339 time of the observation.
        previous: the conditions before.
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
    reason: Reason,
    message: str,
    *,
    generation: int,
    now: str,
) -> Condition:
    """A condition as it is now, where `old` is what it was before."""
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
    """Whether the condition of that type is True."""
    condition = find(conditions, kind)
    return condition is not None and condition.status == "True"
