"""Wait for a state, with a deadline and a sentence for when it does not come."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tenacity

from dev.cluster import errors


def until(
    reached: Callable[[], bool],
    what_is_not: str,
    *,
    seconds: float,
    every: float = 0.1,
    log: Path | None = None,
    give_up: Callable[[], bool] = lambda: False,
) -> None:
    """Ask until it is so. Raises NotReadyError with `what_is_not` at the deadline, or at once when `give_up` says so.

    `give_up` is for what cannot come any more, such as the readiness of a process that has ended.
    """

    def ask() -> bool:
        if reached():
            return True
        if give_up():
            raise errors.NotReadyError(what_is_not + " (its process has ended)", 0, log)
        return False

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda answer: answer is False),
        wait=tenacity.wait_fixed(every),
        stop=tenacity.stop_after_delay(seconds),
    )
    try:
        retrying(ask)
    except tenacity.RetryError:
        raise errors.NotReadyError(what_is_not, seconds, log) from None
