"""podEvict: an eviction of each pod, proven as a kill is."""

from datetime import timedelta

from showstopper.api.faults.pods import PodEvict
from showstopper.faults import registry
from showstopper.faults.effects import EvictPod, Pod
from showstopper.faults.observed import Observed, ObservedTarget
from showstopper.faults.pods.behaviour import effect_of

EVICT = registry.of_kind(PodEvict)
GONE = ObservedTarget("a", ended=True, quiet=True, answered_after=0.012, ended_after=0.52, quiet_after=0.3)
POD = Pod("show", "relay-a", "uid-a")


def test_it_evicts_that_very_pod_with_its_own_grace_unless_another_is_declared() -> None:
    assert effect_of(PodEvict(), POD) == EvictPod(POD, None)
    assert effect_of(PodEvict(grace_period=timedelta(seconds=5)), POD) == EvictPod(POD, timedelta(seconds=5))


def test_it_is_proven_when_the_pod_is_gone_and_silent() -> None:
    assert EVICT.proof(Observed("evict", (GONE,))) is None
    missing = EVICT.proof(Observed("evict", (GONE, ObservedTarget("b"))))
    assert missing is not None
    assert missing.message == "is not proven on b: the pod is still there"
    figures = EVICT.figures(Observed("evict", (GONE,)))
    assert figures == "eviction answered after 12 ms, its media stopped after 0.30 s, gone after 0.52 s"
