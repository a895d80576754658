"""Who goes first among runs that share a room or may share a pod."""

from hypothesis import given
from hypothesis import strategies as st

from showstopper.api.run import ExperimentRun
from showstopper.engine.runs import queue
from tests.support import build

STARTED = {"steps": [{"name": "Baseline", "startedAt": "2026-01-01T00:00:01Z"}]}


def elsewhere(name: str, labels: dict[str, str], room: str = "side-stage") -> ExperimentRun:
    """A run in another room, whose relays carry these labels."""
    spec = {**build.ROOM_SPEC, "components": [{"name": "relay", "selector": {"matchLabels": labels}}]}
    return build.run(name, room={"name": room, "uid": "other", "spec": spec})


def test_first_come_first_served() -> None:
    first, second = build.run("b"), build.run("a", created="2026-01-01T00:00:01Z")
    assert queue.blocker(second, [first, second]) is first
    assert queue.blocker(first, [first, second]) is None


def test_names_settle_what_came_in_the_same_second() -> None:
    assert queue.blocker(build.run("b"), [build.run("a")]) is not None
    assert queue.blocker(build.run("a"), [build.run("b")]) is None


def test_a_run_that_has_begun_goes_on_whatever_its_age() -> None:
    begun = build.run("young", created="2026-01-02T00:00:00Z", status=STARTED)
    assert queue.blocker(build.run("old"), [begun]) is begun


def test_of_two_runs_that_have_begun_neither_waits() -> None:
    first, second = build.run("a", status=STARTED), build.run("b", status=STARTED)
    assert queue.blocker(second, [first]) is None
    assert queue.blocker(first, [second]) is None


def test_a_finished_run_blocks_nobody() -> None:
    assert queue.blocker(build.run("b"), [build.run("a", status={"verdict": "Passed"})]) is None


def test_another_room_with_other_pods_blocks_nobody() -> None:
    assert queue.blocker(build.run("b"), [elsewhere("a", {"app": "other"})]) is None


def test_another_room_that_may_share_a_pod_blocks() -> None:
    assert queue.blocker(build.run("b"), [elsewhere("a", {"tier": "media"})]) is not None


def test_in_line_are_those_that_a_run_shares_something_with_and_whom_they_wait_for() -> None:
    same_pods, behind = elsewhere("b", {"app": "store"}), elsewhere("c", {"app": "other"})
    unrelated, over = elsewhere("d", {"app": "third"}, "third-stage"), build.run("e", status={"verdict": "Passed"})
    new = build.run("new")
    assert queue.line(new, [unrelated, behind, over, same_pods]) == [same_pods, behind]
    assert queue.line(new, [unrelated, behind, over]) == []


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=6))
def test_there_is_always_exactly_one_run_of_a_room_that_may_go_on(shape: list[tuple[int, bool]]) -> None:
    begun_once = False
    runs: list[ExperimentRun] = []
    for index, (second, begun) in enumerate(shape):
        begins = begun and not begun_once
        begun_once = begun_once or begun
        status = STARTED if begins else {}
        runs.append(build.run(f"run-{index}", created=f"2026-01-01T00:00:0{second}Z", status=status))
    assert sum(queue.blocker(run, runs) is None for run in runs) == 1


def test_a_run_that_was_created_with_its_targets_has_begun() -> None:
    target = {"fault": "kill", "pod": "relay-1", "uid": "relay-1-uid"}
    begun = build.run("b", targets=[target])
    assert queue.blocker(build.run("a"), [begun]) is begun
    assert queue.blocker(begun, [build.run("a")]) is None
