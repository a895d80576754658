"""How often one client may ask, by an injected clock."""

import pytest

from showstopper.audio.door import limits
from showstopper.audio.door.limits import RateLimit


def test_a_burst_is_let_through_and_then_so_many_a_second() -> None:
    limit = RateLimit(per_second=2, burst=3)
    assert [limit.take("a", 100.0) for _ in range(4)] == [0, 0, 0, 1]
    assert limit.take("a", 100.4) == 1
    assert limit.take("a", 100.5) == 0
    assert limit.take("a", 100.5) == 1
    assert [limit.take("a", 900.0) for _ in range(4)] == [0, 0, 0, 1], "nobody saves up more than a burst"


def test_nobody_pays_for_another() -> None:
    limit = RateLimit(per_second=1, burst=1)
    assert limit.take("a", 0.0) == 0
    assert limit.take("a", 0.0) == 1
    assert limit.take("b", 0.0) == 0


def test_who_has_to_wait_is_told_for_how_long() -> None:
    limit = RateLimit(per_second=0.1, burst=1)
    assert limit.take("a", 0.0) == 0
    assert limit.take("a", 2.0) == 8
    assert limit.take("a", 10.0) == 0


def test_of_too_many_clients_those_are_forgotten_who_have_been_quiet_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MOST_CLIENTS", 2)
    limit = RateLimit(per_second=0.001, burst=1)
    assert [limit.take(client, 0.0) for client in ("a", "b")] == [0, 0]
    assert limit.take("a", 1.0) > 0
    assert limit.take("c", 2.0) == 0, "and b is forgotten"
    assert limit.take("a", 3.0) > 0
    assert limit.take("b", 4.0) == 0
