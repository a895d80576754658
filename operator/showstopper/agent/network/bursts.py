"""Bursts of loss: again and again everything is lost for a moment, so often that the share of the time holds."""

import random
import threading
from collections.abc import Callable

import structlog

from showstopper.errors import AgentError
from showstopper.faults.network.plan import Bursts

log = structlog.get_logger()


class BurstThread:
    """A thread that opens a burst, waits, and opens the next. The kernel ends each of them in time by itself.

    Args:
        bursts: how long, and which share of the time.
        open_burst: opens one for so many milliseconds.
        over: whether the fault's lease has run out.
        seed: of the pauses. None: any.
    """

    def __init__(
        self,
        bursts: Bursts,
        open_burst: Callable[[int], None],
        over: Callable[[], bool],
        seed: int | None = None,
    ) -> None:
        self._bursts, self._open, self._over = bursts, open_burst, over
        self._dice = random.Random(seed)  # noqa: S311
        self._stop = threading.Event()
        self._problem = ""
        self._thread = threading.Thread(target=self._run, name="bursts", daemon=True)
        self._thread.start()

    @property
    def problem(self) -> str:
        """Why there are no more bursts though nobody has stopped them. Empty if there are, or the lease has run out."""
        if self._problem or self._thread.is_alive() or self._stop.is_set() or self._over():
            return self._problem
        return "the thread that opens them has ended"

    def stop(self) -> None:
        """No more bursts."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        length = self._bursts.length.total_seconds()
        while not self._stop.wait(pause(self._bursts, self._dice)) and not self._over():
            try:
                self._open(round(length * 1000))
            except AgentError as error:
                log.warning("burst_failed", problem=str(error))
                self._problem = str(error)
                return
            self._stop.wait(length)


def pause(bursts: Bursts, dice: random.Random) -> float:
    """Seconds from the end of a burst to the next: half to one and a half times what gives the share."""
    mean = bursts.length.total_seconds() * (1 - bursts.share) / bursts.share
    return mean * (0.5 + dice.random())
