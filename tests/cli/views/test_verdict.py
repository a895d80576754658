"""The verdict with its grounds."""

import pytest

from showstopper.api.experiment import Fault
from showstopper.api.faults.storm import RefusedJoins, StormFigures
from showstopper.api.run import FaultRecord
from showstopper.api.verdicts import Verdict
from showstopper.cli.views import verdict
from tests.cli.build import KILL, at, judged, recovering, target, text

GOLDEN = """\
Failed (ExpectationMissed)
LongestDeadAir 31 s is not ≤ 20 s

expected        bound  measured  margin
AudibleRatio    ≥ 70%  81.4%     11.4 points  Met
LongestDeadAir  ≤ 20s  31s       -11s         Missed

fault  hit      proof
kill   relay-a  deletion answered after 20 ms, its media stopped after 1.50 s, gone after 2.00 s

listener  lost after  dead air  connected but silent  media missing
0/0       1.5s        31s       2s                    31.1s          did not hear the host again

run show/kill-1"""


def test_the_report_of_a_failed_run() -> None:
    assert text(verdict.draw(judged()), 120) == GOLDEN


@pytest.mark.parametrize("outcome", list(Verdict))
def test_every_verdict_stands_first(outcome: Verdict) -> None:
    assert text(verdict.draw(judged(outcome, "Reason"))).startswith(f"{outcome} (Reason)")


def test_what_is_not_proven_is_not_said_to_be() -> None:
    run = judged(targets=[target(goneAt=at(KILL + 1), message="media goes on")])
    assert "not proven: deletion answered after 20 ms, gone after 1.00 s; media goes on" in text(verdict.draw(run), 160)


def test_targets_that_the_record_does_not_name_are_counted() -> None:
    faults = [{"name": "kill", "kind": "podKill", "targets": 30, "proven": True, "reverted": True}]
    assert "Of 29 more targets the record has the totals alone." in text(verdict.draw(judged(faults=faults)))


def test_of_a_flood_it_says_what_arrived() -> None:
    flood = {"name": "kill", "target": {"component": "relay"}, "duration": "5s"}
    run = judged(targets=[target(armedAt=at(KILL), matched=900, affected=900, proven=True)])
    flooded = run.spec.model_copy(
        update={"faults": (Fault.model_validate(flood | {"packetFlood": {"port": "media", "rate": 100}}),)}
    )
    assert "900 packets of the flood arrived" in text(verdict.draw(run.model_copy(update={"spec": flooded})), 160)


def test_a_forbidden_call_is_the_proof_of_nothing() -> None:
    run = judged(targets=[target(answeredAt=None, message="the operator may not do this")])
    assert "the operator may not do this" in text(verdict.draw(run), 160)


def test_a_short_report_keeps_the_worst_and_a_wide_one_all() -> None:
    outages = [{"listener": f"main-stage-listeners-0/{index}", "deadAir": f"{9 - index}s"} for index in range(9)]
    short, wide = (text(verdict.draw(judged(outages=outages), wide=wide)) for wide in (False, True))
    assert "0/5 " in short
    assert "0/6 " not in short
    assert "and 3 shorter ones" in short
    assert "0/8 " in wide


def test_a_wide_report_has_every_indicator_of_every_window() -> None:
    indicator = {"indicator": "JoinSuccess", "value": "50%", "samples": 4, "reason": "two could not join"}
    window = {"name": "Judged", "from": at(0), "to": at(9), "indicators": [indicator]}
    wide = text(verdict.draw(judged(windows=[window]), wide=True), 160)
    assert "Judged  JoinSuccess  50%    4" in wide
    assert "two could not join" in wide


def test_a_run_under_way_has_no_verdict() -> None:
    assert "No verdict yet (under way)" in text(verdict.draw(recovering()))


def test_of_a_storm_it_says_who_got_in() -> None:
    storm = StormFigures(asked=50, attempts=50, let_in=49, refused=[RefusedJoins(reason="Unavailable", count=1)])
    body = {
        "name": "kill",
        "target": {"component": "relay"},
        "duration": "9s",
        "joinStorm": {"port": "signal", "joins": 50},
    }
    run = judged(targets=[target(armedAt=at(KILL), matched=900, affected=900, proven=True)])
    run = run.model_copy(update={"spec": run.spec.model_copy(update={"faults": (Fault.model_validate(body),)})})
    run.status.faults = [FaultRecord(name="kill", kind="joinStorm", targets=1, storm=storm)]
    assert "kill: 50 joins tried, 49 let in, 1 refused (1 Unavailable)" in text(verdict.draw(run), 160)
