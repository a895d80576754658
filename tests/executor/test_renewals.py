"""Leases: what a renewal is worth, and what is none."""

from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.injection import LEASE_SECONDS
from showstopper.clock import to_timestamp
from showstopper.executor.renewals import Renewals

RUN = ("show", "run-1")
START = 1_800_000_000.0  # of the operator's clock; the node's says something else


def spec(after: float, holder: str = "operator-1") -> dict[str, str]:
    return {"renewTime": to_timestamp(START + after), "holderIdentity": holder}


def near(value: float | None, expected: float) -> bool:
    return value is not None and abs(value - expected) < 1e-3


def test_a_renewal_counts_from_when_it_is_seen() -> None:
    renewals = Renewals()
    assert renewals.until(RUN) is None
    assert renewals.see(RUN, spec(0), 50.0, fresh=True)
    assert near(renewals.until(RUN), 60.0)
    assert renewals.see(RUN, spec(2), 52.0, fresh=True)
    assert near(renewals.until(RUN), 62.0)


def test_the_same_renewal_again_or_an_older_one_extends_nothing() -> None:
    renewals = Renewals()
    renewals.see(RUN, spec(2), 50.0, fresh=True)
    assert not renewals.see(RUN, spec(2), 55.0, fresh=True)
    assert not renewals.see(RUN, spec(0), 55.0, fresh=True)
    assert near(renewals.until(RUN), 60.0)


def test_what_was_only_listed_may_be_of_any_age() -> None:
    renewals = Renewals()
    assert not renewals.see(RUN, spec(0), 50.0, fresh=False)
    assert renewals.until(RUN) is None
    assert not renewals.see(RUN, spec(2), 52.0, fresh=False)
    assert renewals.until(RUN) is None
    assert renewals.see(RUN, spec(4), 54.0, fresh=True)
    assert near(renewals.until(RUN), 64.0)


def test_a_renewal_that_came_late_is_worth_what_is_left_of_it() -> None:
    renewals = Renewals()
    renewals.see(RUN, spec(0), 50.0, fresh=True)
    assert renewals.see(RUN, spec(2), 58.0, fresh=True)  # six seconds on its way
    assert near(renewals.until(RUN), 62.0)
    assert renewals.see(RUN, spec(4), 59.0, fresh=False)  # listed, after the connection had broken
    assert near(renewals.until(RUN), 64.0)


def test_another_holder_has_another_clock() -> None:
    renewals = Renewals()
    renewals.see(RUN, spec(0), 50.0, fresh=True)
    assert not renewals.see(RUN, spec(-900, "operator-2"), 53.0, fresh=False)
    assert near(renewals.until(RUN), 60.0)
    assert renewals.see(RUN, spec(-898, "operator-2"), 55.0, fresh=True)
    assert near(renewals.until(RUN), 65.0)


def test_a_lease_that_is_gone_holds_nothing() -> None:
    renewals = Renewals()
    renewals.see(RUN, spec(0), 50.0, fresh=True)
    renewals.forget(RUN)
    assert renewals.until(RUN) is None


def test_what_is_no_renewal() -> None:
    renewals = Renewals()
    for wrong in ({}, {"renewTime": None}, {"renewTime": "soon"}, {"renewTime": 5}):
        assert not renewals.see(RUN, wrong, 50.0, fresh=True)
    assert renewals.until(RUN) is None


@given(
    st.lists(
        st.tuples(st.floats(0, 30), st.floats(0, 20), st.booleans(), st.sampled_from(["operator-1", "operator-2"])),
        max_size=12,
    )
)
def test_nothing_ever_holds_longer_than_a_lease_from_now(seen: list[tuple[float, float, bool, str]]) -> None:
    renewals, now = Renewals(), 100.0
    for after, passed, fresh, holder in seen:
        now += passed
        renewals.see(RUN, spec(after, holder), now, fresh=fresh)
        until = renewals.until(RUN)
        assert until is None or until <= now + LEASE_SECONDS + 1e-3
