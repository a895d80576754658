"""Names: residents are named as their feeds will name them, and no name is too long for a label."""

from hypothesis import given
from hypothesis import strategies as st

from showstopper.engine.rooms.fleet import names
from tests.engine.rooms.build import room

NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)


def test_residents_are_named_by_pod_and_by_their_place_in_the_whole_fleet() -> None:
    residents = names.residents(room(listeners={"count": 4, "perPod": 3}))
    assert residents == (
        "main-stage-listeners-0/0",
        "main-stage-listeners-0/1",
        "main-stage-listeners-0/2",
        "main-stage-listeners-1/3",
    )


@given(st.integers(1, 200), st.integers(1, 20))
def test_each_pod_that_is_meant_to_be_holds_a_resident_and_none_too_many(count: int, per_pod: int) -> None:
    here = room(listeners={"count": count, "perPod": per_pod})
    residents = names.residents(here)
    assert len(set(residents)) == count
    by_pod = [name.partition("/")[0] for name in residents]
    assert set(by_pod) == names.pods(here)
    assert max(map(by_pod.count, set(by_pod))) <= per_pod
    assert len(names.pods(here)) == names.pod_count(here)


@given(NAMES)
def test_a_stateful_sets_revision_label_always_fits(name: str) -> None:
    set_name = names.listeners(room(name))
    assert len(f"{set_name}-0123456789") <= 63
    assert set_name[0].isalnum()


def test_two_long_names_with_the_same_beginning_stay_apart() -> None:
    first, second = room("x" * 62 + "1"), room("x" * 62 + "2")
    assert names.listeners(first) != names.listeners(second)
    assert names.host(first) != names.host(second)
    # A short name is used as it is.
    assert names.listeners(room("a" * 42)) == "a" * 42 + "-listeners"
