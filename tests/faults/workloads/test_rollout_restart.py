"""rolloutRestart: an annotation on every pod template, where that replaces pods."""

from dataclasses import replace

import pytest

from showstopper.engine.rooms import rollouts
from showstopper.faults.effects import Change, Workload
from showstopper.faults.pods.behaviour import changes_of
from showstopper.faults.workloads import fields
from tests.faults.workloads.build import RELAY, changes, context, fault, objections

RESTART = fault("rolloutRestart", {})


def test_each_template_gets_the_time_of_the_restart_and_keeps_it() -> None:
    other = replace(RELAY, name="relay-b", uid="b", restarted="before")
    assert changes(RESTART, RELAY, other) == (
        Change("Deployment", "relay", "relay-uid", fields.RESTARTED, None, "now", lasts=False),
        Change("Deployment", "relay-b", "b", fields.RESTARTED, "before", "now", lasts=False),
    )


def test_it_is_the_same_release_before_and_after() -> None:
    """Or a gate would close, and the run would take its own restart for somebody's new release."""
    template = {"metadata": {"annotations": {"checksum/config": "1"}}, "spec": {}}
    annotations = {"checksum/config": "1", fields.RESTARTED_KEY: "now"}
    restarted = {**template, "metadata": {"annotations": annotations}}
    assert rollouts.template_hash(restarted) == rollouts.template_hash(template)


def test_what_nobody_has_looked_at_is_not_changed() -> None:
    with pytest.raises(LookupError, match="nobody has looked at what is behind component relay"):
        changes_of(RESTART, context(None), "now")


@pytest.mark.parametrize(
    ("workload", "reason", "says"),
    [
        (replace(RELAY, held="it is paused"), "RolloutHeld", "Deployment relay does not replace its pods"),
        (replace(RELAY, others=("door-1",)), "WorkloadShared", "also makes pods that are none of component relay"),
    ],
)
def test_a_workload_that_would_replace_none_or_others_too_is_refused(
    workload: Workload, reason: str, says: str
) -> None:
    ((objection_reason, message),) = objections(RESTART, workload)
    assert objection_reason == reason
    assert says in message


def test_pods_that_nobody_replaces_are_refused() -> None:
    assert not objections(RESTART, RELAY)
    (loose, nobody) = objections(RESTART, loose=("a",))
    assert (loose[0], nobody[0]) == ("NoWorkload", "NoWorkload")
    assert "use podKill or podEvict" in loose[1]
