"""Sockets: what a process that holds many clients is allowed to open."""

from __future__ import annotations

import resource

from showstopper.errors import SettingsError

SOCKETS_EACH = 2
"""Of a client: its signalling and its media."""

OTHER_DESCRIPTORS = 64
"""Of the process: who reads its feed, and what Python has open."""


def allow(clients: int, *, instead: str) -> None:
    """Have as many descriptors as this process may.

    Args:
        clients: how many there are at a time.
        instead: what to write where they are too many.

    Raises:
        SettingsError: where descriptors are too few. Who gets no socket would be Unknown for ever.
    """
    most, needed = resource.getrlimit(resource.RLIMIT_NOFILE)[1], SOCKETS_EACH * clients + OTHER_DESCRIPTORS
    if most != resource.RLIM_INFINITY and most < needed:
        raise SettingsError(
            f"{clients} listeners need {needed} open files, and this process may have {most}: raise its limit "
            f"(LimitNOFILE of the container runtime), or write {instead}"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
