"""A run is a record: the API server lets nobody change it, but for an abort, once."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dev.cluster.apiserver import ApiServer
from dev.cluster.errors import CommandError
from tests.api.build import LEAVE_OUT, run
from tests.support.api_server import apply, as_object

pytestmark = pytest.mark.apiserver


@pytest.fixture
def stored(server: ApiServer) -> Iterator[ApiServer]:
    """An API server that holds the run of `build.run`."""
    apply(server, run())
    yield server
    server.kubectl("delete", "-n", "show", "exprun", "kill-1")


@pytest.mark.parametrize(
    "changes",
    [
        {"spec.experiment.hash": "other"},
        {"spec.room.spec.components.0.container": "sfu"},
        {"spec.release.0.digest": "sha256:2"},
        {"spec.release": LEAVE_OUT},
        {"spec.timing.recovery": "2m"},
        {"spec.faults.0.target.max": 2},
        {"spec.expect.0.min": "1%"},
        {"spec.abortIf": [{"indicator": "AudibleRatio", "below": "1%"}]},
        {"spec.seed": 1},
        {"spec.deadline": "2027-01-01T00:00:00Z"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_nothing_of_a_run_can_be_changed(stored: ApiServer, changes: dict[str, Any]) -> None:
    with pytest.raises(CommandError, match="a run is a record and never changes, except for abort"):
        apply(stored, run(changes))


def test_a_run_is_aborted_once_and_stays_so(stored: ApiServer) -> None:
    assert apply(stored, run())["spec"]["abort"] is False
    assert apply(stored, run({"spec.abort": True}))["metadata"]["generation"] == 2
    with pytest.raises(CommandError, match="an aborted run stays aborted"):
        apply(stored, run({"spec.abort": False}))


def test_a_run_that_is_over_is_not_aborted(stored: ApiServer) -> None:
    """Its status would be that of an earlier generation for ever, and kstatus would wait for it."""
    patch = '{"status": {"observedGeneration": 1, "verdict": "Passed"}}'
    stored.kubectl(
        "patch", "-n", "show", "exprun", "kill-1", "--subresource=status", "--type=merge", f"--patch={patch}"
    )
    with pytest.raises(CommandError, match="the run is already over, and its verdict is final"):
        apply(stored, run({"spec.abort": True}))
    assert apply(stored, run({"metadata.labels.note": "x"}))["metadata"]["generation"] == 1


def test_an_abort_changes_nothing_else(stored: ApiServer) -> None:
    with pytest.raises(CommandError, match="a run is a record"):
        apply(stored, run({"spec.abort": True, "spec.timing.recovery": "2m"}))


def test_no_write_moves_the_step_and_changes_the_spec(stored: ApiServer) -> None:
    """Whoever writes both at once writes only one of them: that is why the rule need not compare where a step moves."""
    both = {"spec": {"seed": 2}, "status": {"observedGeneration": 1, "step": "Injecting"}}
    patch = ("patch", "-n", "show", "exprun", "kill-1", "--type=merge", f"--patch={json.dumps(both)}")
    before = read(stored)["spec"]
    with pytest.raises(CommandError, match="a run is a record and never changes"):
        stored.kubectl(*patch)
    stored.kubectl(*patch, "--subresource=status")
    stored_run = read(stored)
    assert (stored_run["spec"], stored_run["status"]["step"]) == (before, "Injecting")
    with pytest.raises(CommandError, match="a run is a record and never changes"):
        stored.kubectl(*patch)


def read(server: ApiServer) -> dict[str, Any]:
    """The run as it is stored."""
    return as_object(server.kubectl("get", "-n", "show", "exprun", "kill-1", "-o", "json"))


def test_an_abort_can_be_applied_without_all_the_rest(stored: ApiServer) -> None:
    abort = {key: run()[key] for key in ("apiVersion", "kind")}
    abort |= {"metadata": {"name": "kill-1", "namespace": "show"}, "spec": {"abort": True}}
    made = apply(stored, abort, "--server-side", "--field-manager=somebody", "--force-conflicts")
    assert made["spec"]["abort"] is True


def test_labels_may_change(stored: ApiServer) -> None:
    assert apply(stored, run({"metadata.labels.note": "x"}))["metadata"]["generation"] == 1
