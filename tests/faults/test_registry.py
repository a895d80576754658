"""Every kind of fault has a behaviour, and it is the one that its hand needs."""

import ast
from pathlib import Path

import pytest

import showstopper
from showstopper.api.experiment import Fault
from showstopper.api.faults.base import Aim, FaultKind, Hand
from showstopper.api.faults.network import NetworkFault
from showstopper.api.faults.process import ProcessFault
from showstopper.api.faults.stage import HostFault
from showstopper.api.injection import InjectionSpec
from showstopper.faults import registry
from showstopper.faults.behaviour import InjectedBehaviour
from showstopper.faults.crowd import CrowdBehaviour
from showstopper.faults.network.behaviour import NetworkBehaviour
from showstopper.faults.observed import Observed, ObservedTarget
from showstopper.faults.pods.behaviour import ApiServerBehaviour
from showstopper.faults.processes.behaviour import ProcessBehaviour
from showstopper.faults.stage.behaviour import HostBehaviour

KINDS = {**Fault.kinds(), **InjectionSpec.kinds()}
each = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


@each
def test_every_kind_has_a_behaviour_of_its_own(kind: type[FaultKind]) -> None:
    behaviour = registry.of_kind(kind)
    assert behaviour.kind is kind
    assert behaviour.action
    assert isinstance(behaviour, InjectedBehaviour) is (kind.hand in {Hand.AGENT, Hand.STAGE})
    assert isinstance(behaviour, HostBehaviour) is issubclass(kind, HostFault)
    assert isinstance(behaviour, ApiServerBehaviour) is (kind.hand is Hand.API_SERVER)
    assert isinstance(behaviour, NetworkBehaviour) is issubclass(kind, NetworkFault)
    assert isinstance(behaviour, ProcessBehaviour) is issubclass(kind, ProcessFault)
    assert isinstance(behaviour, CrowdBehaviour) is (kind.hand is Hand.CROWD)


@each
def test_no_kind_is_proven_by_a_target_that_nothing_was_seen_of(kind: type[FaultKind]) -> None:
    behaviour = registry.of_kind(kind)
    observed = Observed("it", (ObservedTarget("relay-0"),), (ObservedTarget("flooder"),))
    missing = behaviour.proof(observed)
    assert missing is not None
    assert missing.reason == "NoEffect"
    assert behaviour.outcome(observed) == missing.message


def test_a_kind_without_a_behaviour_is_a_defect_and_never_another_kind() -> None:
    class Forgotten(FaultKind):
        hand, aims_at = Hand.AGENT, Aim.PODS

    with pytest.raises(LookupError, match=r"no module forgotten of showstopper\.faults"):
        registry.of(Forgotten())


def test_kinds_of_agents_and_hosts_are_declared_once() -> None:
    experiments, injections = Fault.kinds(), InjectionSpec.kinds()
    injected = {name: kind for name, kind in experiments.items() if kind.hand in {Hand.AGENT, Hand.STAGE}}
    assert injected.items() <= injections.items()
    assert injections.keys() - injected.keys() == {"floodGate", "floodArrivals", "stormGate", "stormArrivals"}
    by_the_operator = {name for name, kind in experiments.items() if kind.hand is Hand.API_SERVER}
    assert by_the_operator == {"podKill", "podEvict", "rolloutRestart", "scaleDown", "configPush", "nodeDrain"}
    of_the_crowd = {"packetFlood", "joinStorm", "retryStorm", "connectionFlood"}
    assert experiments.keys() - injected.keys() == by_the_operator | of_the_crowd


def test_what_ends_pods_without_putting_them_back_is_instant() -> None:
    instant = {name for name, kind in KINDS.items() if kind.instant}
    assert instant == {"podKill", "podEvict", "rolloutRestart", "containerKill"}


# How late sound is heard, in feeds and spans; which pods of a StatefulSet a rollout leaves out; for how long the host
# was not heard, in records.
OTHER_MEANINGS = {"delay", "partition", "deadAir"}


def test_nobody_else_tells_kinds_apart_by_their_names() -> None:
    """A name of a kind as a text is a table of kinds in the making."""
    root = Path(showstopper.__path__[0])
    for file in root.rglob("*.py"):
        texts = [node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)]
        assert not set(KINDS) & {text for text in texts if isinstance(text, str)} - OTHER_MEANINGS, file
