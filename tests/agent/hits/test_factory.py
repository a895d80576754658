"""What the next life of an agent knows of what an earlier one has done."""

from pathlib import Path
from typing import Any, cast

from showstopper.agent.at_most_once import AtMostOnce
from showstopper.agent.changes import Change, Changes
from showstopper.agent.hits.factory import HitFactory
from showstopper.agent.kernel.settings import Setting
from showstopper.api.injection import Injection
from showstopper.clock import Clock
from showstopper.faults.network.behaviour import effect_name
from tests.api.build import LEAVE_OUT, injection


def factory(state: Path) -> HitFactory:
    """Of an agent that has just started."""
    nothing = cast("Any", None)
    return HitFactory(nothing, nothing, nothing, Changes(state), AtMostOnce(state), Clock())


def test_it_knows_which_settings_of_an_injection_nobody_could_put_back(tmp_path: Path) -> None:
    network = dict.fromkeys(("spec.packetLoss", "spec.ports", "spec.peers"), LEAVE_OUT)
    asked = Injection.parse(injection({**network, "spec.freeze": {}, "spec.targets.0.containerId": "5f" * 32}))
    file = tmp_path / "cgroup.freeze"
    file.write_text("1")
    setting = Setting(str(file), ("1",), "0")
    for uid in (asked.metadata.uid, "another"):
        Changes(tmp_path).write(Change(effect_name(asked.spec.fault, uid, 0), setting, 1.0))
    assert factory(tmp_path).left(asked) == {asked.spec.targets[0].uid: str(file)}
    assert setting.put_back()
    assert factory(tmp_path).left(asked) == {}
