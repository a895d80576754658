"""Skew: how far the wall clocks of a room's host and listeners are apart, as the operator knows them. Pure.

The age of a time code is a difference of these two clocks. So the limit between live and stale sound moves by as much
as they are apart: by a little that is nothing, by more nobody can tell what was heard.
"""

from collections.abc import Mapping

from showstopper.availability.clocks import SKEW_SECONDS


class ClockSkew:
    """Remembers when the clocks were too far apart last."""

    def __init__(self) -> None:
        self._last = (float("-inf"), "")

    def look(self, now: float, host: float | None, listeners: Mapping[str, float]) -> None:
        """Look once.

        Args:
            now: on the operator's clock.
            host: by how many seconds the host's wall clock is ahead of the operator's. None: it is not known.
            listeners: the same of the listener pods, by name.
        """
        if host is None or not listeners:
            return
        pod = max(listeners, key=lambda name: abs(listeners[name] - host))
        apart = abs(listeners[pod] - host)
        if apart > SKEW_SECONDS:
            self._last = now, f"the clock of the host's node and that of listener pod {pod} are {apart:.1f} s apart"

    def since(self, moment: float) -> str | None:
        """What was wrong with the clocks since then, in a sentence. None: nothing."""
        at, problem = self._last
        return problem if at >= moment else None
