"""podKill: gone by its UID, and silent at the listeners."""

from dataclasses import replace
from datetime import timedelta

import pytest

from showstopper.api.faults.network import DnsFailure
from showstopper.api.faults.pods import PodKill
from showstopper.faults import registry
from showstopper.faults.effects import DeletePod, Pod
from showstopper.faults.observed import Observed, ObservedTarget
from showstopper.faults.pods.behaviour import effect_of

KILL = registry.of_kind(PodKill)
GONE = ObservedTarget("a", ended=True, quiet=True, answered_after=0.012, ended_after=0.52, quiet_after=0.3)


def test_it_deletes_that_very_pod() -> None:
    pod = Pod("show", "relay-a", "uid-a")
    spec = PodKill(grace_period=timedelta(seconds=5))
    assert effect_of(spec, pod) == DeletePod(pod, timedelta(seconds=5))


def test_what_others_do_is_never_done_as_a_kill() -> None:
    with pytest.raises(TypeError, match="DnsFailure is carried out by Agent"):
        effect_of(DnsFailure(), Pod("show", "relay-a", "uid-a"))


@pytest.mark.parametrize(
    ("second", "missing"),
    [
        (GONE, None),
        (ObservedTarget("b"), "is not proven on b: the pod is still there"),
        (ObservedTarget("b", ended=True), "is not proven on b: listeners may still get media from there"),
        (replace(GONE, pod="b", quiet=False), "is not proven on b: listeners may still get media from there"),
    ],
)
def test_every_target_has_to_be_gone_and_silent(second: ObservedTarget, missing: str | None) -> None:
    finding = KILL.proof(Observed("kill", (GONE, second)))
    assert (finding.message if finding else None) == missing


def test_of_one_target_it_tells_the_times_and_of_several_their_number() -> None:
    observed = Observed("kill", (GONE,))
    assert KILL.figures(observed) == "deletion answered after 12 ms, its media stopped after 0.30 s, gone after 0.52 s"
    assert KILL.figures(Observed("kill", (GONE, GONE))) == "2 of 2 pods gone, and 2 of them without media"
