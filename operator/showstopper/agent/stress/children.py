"""Children of a stressor: each works in the guests' cgroups, and is killed with its parent, however that ends."""

import ctypes
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from showstopper.agent.kernel.guests import PROCS, GuestCgroups

_PR_SET_PDEATHSIG = 1
_CLONE_NEWCGROUP = 0x02000000
_NODE = "/proc/1/ns/cgroup"
_LIBC = ctypes.CDLL(None, use_errno=True)


def enter_node() -> None:
    """See the cgroups of the whole node, where that is possible.

    Version 2 lets nobody move processes between cgroups that are not both below that of the mover's cgroup namespace
    (kernel: cgroup_procs_write_permission, where it is mounted with nsdelegate, as systemd does).
    """
    try:
        descriptor = os.open(_NODE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # a sandbox hides it: whether it is needed is seen when somebody is moved
        return
    _LIBC.setns(descriptor, _CLONE_NEWCGROUP)
    os.close(descriptor)


def employ(guests: GuestCgroups, work: Callable[[], None]) -> int:
    """Have a child work in the guests' cgroups from its first step on. Returns its process id.

    Raises:
        OSError: it may not be moved there. It has done nothing then.
    """
    parent, (gate, opener) = os.getpid(), os.pipe()
    pid = os.fork()
    if pid == 0:
        _work(parent, gate, opener, work)
    os.close(gate)
    try:
        for folder in guests.folders:
            Path(folder, PROCS).write_text(str(pid))
        os.write(opener, b"\0")
    except OSError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    finally:
        os.close(opener)
    return pid


def _work(parent: int, gate: int, opener: int, work: Callable[[], None]) -> NoReturn:
    """Nothing may leave this function: what is above belongs to the parent."""
    code = 1
    try:
        os.close(opener)
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent and os.read(gate, 1):
            work()
            code = 0
    finally:
        os._exit(code)
