"""Records: when a fault was there."""

from showstopper.api.verdicts import Verdict
from showstopper.availability.spans import Window
from showstopper.report.record import fault_windows, in_order, window_of
from tests.availability.build import EPOCH
from tests.report import build
from tests.report.build import END, KILL


def test_spans_are_wanted_from_the_begin_to_the_end() -> None:
    assert window_of(build.run()) == Window(EPOCH, EPOCH + END)
    assert window_of(build.run(startedAt=None)) is None
    assert window_of(build.run(finishedAt=None)) is None


def test_a_kill_is_an_instant_and_a_lasting_fault_lasts_until_it_is_lifted() -> None:
    kill, loss = fault_windows(build.run())
    assert (kill.name, kill.kind, kill.start, kill.end) == (
        "kill-the-serving-relay",
        "podKill",
        EPOCH + KILL,
        EPOCH + KILL,
    )
    assert round(loss.start - EPOCH, 6) == KILL + 0.06
    assert round(loss.end - EPOCH, 6) == KILL + 20.1
    assert kill.proven
    assert loss.lifted


def test_a_fault_whose_end_nobody_saw_may_have_lasted_to_the_end() -> None:
    run = build.run()
    run.status.targets[1].lifted_at = None
    run.status.steps = [step for step in run.status.steps if step.name != "Reverting"]
    loss = fault_windows(run)[1]
    assert not loss.lifted
    assert loss.end == EPOCH + END


def test_what_one_target_does_not_tell_the_reverting_step_does() -> None:
    run = build.run()
    run.status.targets[1].lifted_at = None
    loss = fault_windows(run)[1]
    assert loss.lifted
    assert round(loss.end - EPOCH, 6) == KILL + 20.2


def test_a_fault_is_there_by_its_own_record_where_no_target_of_it_is_named() -> None:
    """Of more than twenty targets the status names the worst of all faults together."""
    run = build.run()
    record = run.status.faults[1]
    record.armed_at, record.lifted_at = build.at(KILL + 0.01), build.at(KILL + 19)
    kill, loss = fault_windows(run)
    assert (loss.start, loss.end, loss.lifted) == (EPOCH + KILL + 0.01, EPOCH + KILL + 19, True), "over all targets"
    run.status.targets = run.status.targets[:1]
    assert fault_windows(run) == (kill, loss)
    record.lifted_at = None
    assert fault_windows(run)[1].end == EPOCH + KILL + 20.2, "as far as the reverting step tells"


def test_what_was_never_begun_has_no_window() -> None:
    assert fault_windows(build.run(Verdict.ABORTED, targets=[])) == ()


def test_what_is_not_proven_is_not_said_to_be() -> None:
    assert not any(window.proven for window in fault_windows(build.run(Verdict.INCONCLUSIVE)))


def test_the_tenth_listener_comes_after_the_ninth() -> None:
    ordered = in_order(build.heard(build.run(), listeners=12))
    assert [track.listener.rpartition("/")[2] for track in ordered.residents] == [str(index) for index in range(12)]
