"""What the kernel refuses of traffic control is an error of the agent's own kind, so that a lift goes on."""

import errno

import pytest
from pyroute2.netlink.exceptions import NetlinkError

from showstopper.agent.kernel import shaping
from showstopper.errors import KernelRefused


@pytest.mark.parametrize("error", [OSError(errno.EMFILE, "too many open files"), NetlinkError(errno.EBUSY, "busy")])
def test_a_connection_that_fails_is_refused_by_the_kernel(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(shaping, "IPRoute", fail)
    with pytest.raises(KernelRefused, match="traffic control"):
        shaping.leftovers()
