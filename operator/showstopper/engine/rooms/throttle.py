"""Throttle: when a room's status is worth a write. Pure."""

from showstopper.api.room import AudioRoomStatus

READY_SECONDS = 1.0
FIGURES_SECONDS = 10.0


def due(written: AudioRoomStatus, wanted: AudioRoomStatus, seconds: float) -> bool:
    """Whether to write, `seconds` after the last write: conditions soon, figures seldom, what is the same never."""
    if _standing(written) != _standing(wanted):
        return seconds >= READY_SECONDS
    return _content(written) != _content(wanted) and seconds >= FIGURES_SECONDS


def _standing(status: AudioRoomStatus) -> tuple[object, ...]:
    """What GitOps and `kubectl wait` look at."""
    states = sorted(
        (condition.type, condition.status, condition.reason, condition.observed_generation)
        for condition in status.conditions
    )
    return status.observed_generation, *states


def _content(status: AudioRoomStatus) -> dict[str, object]:
    """All but the time at which it was measured."""
    return status.model_dump(exclude={"measured_at"})
