"""retryStorm: clients who are in are dropped all at once, and come back at once, without backoff."""

from collections.abc import Iterator
from typing import ClassVar

from showstopper.api.experiment import Fault
from showstopper.api.faults.base import FaultKind
from showstopper.api.faults.storm import RetryStorm, StormFigures
from showstopper.api.reasons import Reason
from showstopper.api.schema.quantities import format_duration
from showstopper.availability.verdict import Finding
from showstopper.faults.observed import LEAST_SHARE
from showstopper.faults.storm import schedule
from showstopper.faults.storm.behaviour import Order, StormBehaviour, at_least
from showstopper.faults.storm.settings import Comeback, Depth


class RetryStormBehaviour(StormBehaviour[RetryStorm]):
    """Proven when clients were in, were dropped, and tried again."""

    kind: ClassVar[type[FaultKind]] = RetryStorm
    action: ClassVar[str] = "storms with retries"
    noun: ClassVar[str] = "join"
    taken: ClassVar[str] = "let in"
    joins: ClassVar[bool] = True
    most: ClassVar[int] = schedule.MOST_TRIES

    def order(self, fault: Fault) -> Order:
        """Clients who join, and try again."""
        spec = _spec(fault)
        comeback = Comeback(spec.clients, spec.drop.total_seconds(), spec.pause.total_seconds())
        depth = Depth.SIGNALLING if spec.signalling_only else Depth.FULL
        return Order(spec.tries, spec.rate, depth, hidden=spec.hidden, comeback=comeback)

    def of_number(self, fault: Fault) -> Iterator[Finding]:
        """A drop before everybody is in, or too late for anybody to come back."""
        spec = _spec(fault)
        assert fault.duration is not None
        drop, settled = spec.drop.total_seconds(), schedule.settled(spec.clients, spec.rate)
        if settled > drop + 1e-6:
            yield Finding(
                Reason.DURATION_TOO_SHORT,
                f"fault {fault.name} drops its {spec.clients} clients before all of them can be in: write a drop of at "
                f"least {at_least(settled)}, or a higher rate",
            )
        needed = drop + schedule.LAST_SECONDS + schedule.LEAVE_SECONDS
        if needed > fault.duration.total_seconds() + 1e-6:
            yield Finding(
                Reason.DURATION_TOO_SHORT,
                f"fault {fault.name} drops its clients after {format_duration(spec.drop)}, and has a duration of "
                f"{format_duration(fault.duration)}: write a duration of at least {at_least(needed)}, in which they "
                "come back, and all leave",
            )

    def of_figures(self, storm: StormFigures) -> Finding | None:
        """The same as of all storms, and whether there was anybody to come back."""
        if (wrong := super().of_figures(storm)) is not None:
            return wrong
        dropped, gone = storm.dropped or 0, storm.gone or 0
        if not dropped and not gone:
            return Finding(Reason.NO_EFFECT, "dropped nobody: no client was in by then; write a later drop")
        if dropped < LEAST_SHARE * (dropped + gone):
            return Finding(
                Reason.WRONG_DOSE,
                f"dropped {dropped} of {dropped + gone} clients who had been in: the others had lost their sessions by "
                "then; look at what else befell the relay",
            )
        return None


def _spec(fault: Fault) -> RetryStorm:
    assert fault.retry_storm is not None
    return fault.retry_storm
