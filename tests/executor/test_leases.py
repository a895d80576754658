"""Leases: they end by the node's own clock, and what has ended stays so."""

import pytest

from showstopper.api.injection import LEASE_SECONDS
from showstopper.errors import LeaseLost
from showstopper.executor.leases import Lease


class Hands:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_says_what_is_left() -> None:
    clock = Hands()
    lease = Lease(1001.5, clock)
    assert lease.milliseconds == 1500
    clock.at += 1.4999
    assert lease.milliseconds == 0, "rounded down: a timer of the kernel must not outlast it"
    assert lease.lost


def test_a_renewal_moves_its_end_either_way() -> None:
    clock = Hands()
    lease = Lease(1001, clock)
    assert lease.renew(1003) == 3000
    assert lease.renew(1002) == 2000


def test_what_ran_out_is_not_renewed() -> None:
    clock = Hands()
    lease = Lease(1001, clock)
    clock.at = 1001.2
    with pytest.raises(LeaseLost, match="arm it anew"):
        lease.renew(1005)
    assert lease.lost


def test_a_renewal_into_the_past_is_refused() -> None:
    with pytest.raises(LeaseLost, match="lift the fault instead"):
        Lease(1001, Hands()).renew(999)


def test_nobody_gets_more_than_the_longest() -> None:
    lease = Lease(5000, Hands())
    assert lease.milliseconds == LEASE_SECONDS * 1000
    assert lease.renew(float("inf")) == LEASE_SECONDS * 1000
