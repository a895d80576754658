"""Calls to a room's signalling. Whatever goes wrong with one is refused, with a reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from showstopper.audio.crowd import negotiation
from showstopper.audio.crowd.access import Access
from showstopper.audio.crowd.diary import Marks
from showstopper.audio.crowd.refusals import Refusal, Refused
from showstopper.audio.crowd.signalling import Signalling


async def call(access: Access, path: str) -> Signalling:
    """Open signalling. Raises Refused for an answer that is no upgrade, OSError if there is no connection."""
    addresses = await access.resolver.addresses()
    return await Signalling.open(access.server, addresses, path, access.context)


async def call_again(access: Access, path: str) -> tuple[Signalling, list[bytes]]:
    """Open signalling for a session that the relay may not know any more. Returns its first messages, too.

    Raises:
        Refused: if it does not, or for an answer that is no upgrade.
        OSError: if there is no connection.
    """
    signalling = await call(access, path)
    try:
        messages = await signalling.first()
    except BaseException:
        signalling.close()
        raise
    if not messages or not negotiation.is_resumed(messages[0]):
        signalling.close()
        raise Refused(Refusal.CLOSED, "the relay does not know the session any more")
    return signalling, messages


@contextmanager
def refusing(access: Access, too_late: Callable[[], Refused]) -> Iterator[None]:
    """Within it, what the system says is raised as Refused, and a time that is over as what `too_late` says then."""
    try:
        yield
    except TimeoutError:
        raise too_late() from None
    except OSError as error:
        raise Refused.by_system(error, str(access.server)) from error


def not_let_in(marks: Marks) -> Refused:
    """Why a join took too long that got no further than these marks."""
    if math.isnan(marks.upgraded):
        return Refused(Refusal.TIMED_OUT, "no answer to the join")
    return Refused(Refusal.TIMED_OUT, "the server took the connection and did not let the listener in")
