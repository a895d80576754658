"""Hits by stressors: processes of ours in cgroups of their own below those of the target's container."""

from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path

from showstopper.agent.hits.change import ChangeHit
from showstopper.agent.hits.process import P
from showstopper.agent.kernel.cgroups import Place
from showstopper.agent.kernel.guests import PREFIX, GuestCgroups
from showstopper.agent.stress.order import Order
from showstopper.agent.stress.stressor import Stressor
from showstopper.api.injection import TargetState


class StressHit(ChangeHit[P]):
    """Has a stressor work under the container's limits. A kind says under which, and what is ordered.

    The cgroups are written down like any other change, so that who finds them removes them with all that is in there.
    """

    _stressor: Stressor | None = None

    @abstractmethod
    def _guests(self, place: Place) -> GuestCgroups:
        """Where it works.

        Raises:
            EffectRefused: it must not. The sentence says why.
            OSError: the cgroup is gone.
        """

    @abstractmethod
    def _order(self, until: float) -> Order:
        """What is ordered, at first until that monotonic time."""

    def _setting(self, place: Place) -> GuestCgroups:
        self._own = self._guests(place)
        return self._own

    def _start(self) -> None:
        """Start the stressor.

        Raises:
            AgentError: it does not begin.
        """
        assert self._lease is not None, "it is written down with its end"
        self._stressor = Stressor(self._order(self._lease.until))

    def refresh(self, until: float) -> None:
        """Move its end, everywhere."""
        super().refresh(until)
        if self._stressor is not None and self._lease is not None:
            self._stressor.renew(self._lease.until)

    def look(self) -> bool:
        """Also note a stressor that has ended before its time: it was not kept up."""
        if self.record.state is TargetState.ARMED and (problem := self._ended_early()) is not None:
            self.lift()
            self.record.message = problem[:1024]
            return False
        return super().look()

    def _ended_early(self) -> str | None:
        """Why the stressor has ended while there was something left to do. None if it has not."""
        if self._stressor is None or not self._stressor.ended or self._done or not self._present():
            return None
        return self._stressor.problem or "the stressor has ended, and its container has not"

    @property
    def _done(self) -> bool:
        """Whether the stressor has nothing left to do."""
        return False

    @abstractmethod
    def _present(self) -> bool:
        """Whether the container still runs."""

    def _release(self) -> None:
        if self._stressor is not None:
            self._stressor.end()


def below(folders: Iterable[Path], what: str) -> GuestCgroups:
    """Guests below these folders of a container, of which two controllers may share one."""
    own = dict.fromkeys(folder.resolve() / f"{PREFIX}{what}" for folder in folders)
    return GuestCgroups(tuple(map(str, own)))
