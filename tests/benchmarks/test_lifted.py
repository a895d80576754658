import pytest

from bench import lift, lifts
from bench.lift_stage import WAYS as STAGE_WAYS
from bench.lift_stage import StageField
from bench.lifted import WATCHDOG_SECONDS, Touch, Trial, fate, figures, last_renewal, last_touched, touched
from bench.streams import Packet
from tests.support.control_loss import WAYS


def trial(**more: object) -> Trial:
    plain = {"way": "link_cut", "kind": "loss", "lost": 100.0, "lease_end": 108.0, "after": 300}
    rest = {"last": Touch(107.9, "a packet was lost"), "verdict": "Inconclusive LeaseLost"}
    return Trial(**{**plain, **rest, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "packet",
    [Packet(1.0), Packet(1.0, (1.001, 1.002)), Packet(1.0, (1.3,)), Packet(1.0, (1.001,), intact=False)],
    ids=["lost", "doubled", "late", "changed"],
)
def test_what_is_touched(packet: Packet) -> None:
    assert touched(packet)
    assert not touched(Packet(1.0, (1.001,)))
    assert not touched(Packet(1.0, (1.3,), gone=1.299))


def test_the_last_touched_packet_is_the_one_sent_last() -> None:
    packets = [Packet(1.0), Packet(1.004, (1.404,)), Packet(1.008, (1.009,))]
    assert last_touched(packets) == Touch(1.004, "a packet came after 0.400 s")
    assert fate(packets[1]) == "came after 0.400 s"
    assert last_touched(packets[2:]) is None


def test_a_renewal_after_control_was_lost_does_not_count() -> None:
    assert last_renewal(98.0, 98.0, 99.0) == 98.0
    assert last_renewal(98.0, 100.0, 101.0) == 100.0
    assert last_renewal(98.0, 100.0, 99.0) == 98.0


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        ({"last": Touch(108.2, "a packet was lost")}, "felt after the lease: a packet was lost"),
        ({"last": Touch(109.1, "it was frozen"), "grace": WATCHDOG_SECONDS}, "felt after the lease: it was frozen"),
        ({"last": None}, "before control was lost"),
        ({"after": 3}, "only 3 looks"),
        ({"verdict": "Passed ExpectationsMet"}, "Passed"),
    ],
)
def test_a_trial_that_shows_nothing_or_something_bad_is_a_problem(broken: dict[str, object], word: str) -> None:
    assert trial().problem is None
    assert word in (trial(**broken).problem or "")


def test_figures() -> None:
    results = figures(
        [trial(), trial(way="agent_killed", last=Touch(101.0, "a packet was lost")), trial(after=0)], leftovers=0
    )
    assert (results["trials"], results["worst_over_lease_ms"], results["leftovers"]) == (3, -100.0, 0)
    assert results["worst_over_lease_agent_killed_ms"] == -7000.0
    assert results["trials_with_a_problem"] == 1


def test_every_kind_is_tried_in_every_way() -> None:
    ways = len(WAYS)
    for way in range(ways):
        tried = {kind for number in range(way, ways * lift.ROUNDS, ways) for kind in lifts.chosen(number)}
        assert tried == set(lifts.KINDS)
    of_stage = lift.ROUNDS * len(STAGE_WAYS) * len(StageField.kinds)
    assert lift.ROUNDS * ways * lifts.AT_ONCE + of_stage >= 120


def test_what_the_watchdog_puts_back_has_a_second_more() -> None:
    late = {"last": Touch(108.9, "it was frozen")}
    assert trial(**late, grace=lifts.grace("freeze")).problem is None
    assert trial(**late, grace=lifts.grace("workers")).problem is not None


def test_a_run_may_end_as_its_field_says() -> None:
    hosts = frozenset({"Inconclusive LeaseLost", "Inconclusive HostLost"})
    assert trial(verdict="Inconclusive HostLost").problem == "its run ended Inconclusive HostLost"
    assert trial(verdict="Inconclusive HostLost", verdicts=hosts).problem is None
