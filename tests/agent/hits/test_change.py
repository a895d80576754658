"""What a change of a cgroup leaves in its record and on its node when it cannot be put back."""

from pathlib import Path
from typing import Any, cast

import pytest

from showstopper.agent.changes import Changes
from showstopper.agent.containers import Containers
from showstopper.agent.hits.change import ChangeHit
from showstopper.agent.hits.process import NodeAccess
from showstopper.agent.kernel import guests
from showstopper.agent.kernel.cgroups import Place
from showstopper.agent.kernel.guests import GuestCgroups
from showstopper.api.faults.process import CpuStress
from showstopper.api.injection import InjectionTarget, TargetState
from showstopper.clock import Clock
from showstopper.errors import KernelRefused
from tests.agent.hits.acting import soon

TARGET = InjectionTarget(pod="relay-0", uid="u", address="198.18.1.5", container_id="5f" * 32)


class Container:
    """A container with one process, and a cgroup that nobody else can see."""

    def __init__(self, folder: Path) -> None:
        self.cgroup = folder / "showstopper-stress-cpu"
        self.gone = False

    def place(self, _uid: str, _container: str) -> tuple[Any, int]:
        return None, 1

    def occupy(self) -> None:
        """Have something in its cgroup that does not end."""
        (self.cgroup / "process").touch()

    def leave(self) -> None:
        """It has ended after all."""
        (self.cgroup / "process").unlink()


class Hit(ChangeHit[CpuStress]):
    """Makes a cgroup, and does nothing in it."""

    kind = CpuStress

    def __init__(self, container: Container, changes: Changes, name: str = "stress.0", *, works: bool = True) -> None:
        access = NodeAccess(cast("Containers", container), changes, Clock())
        super().__init__(CpuStress(workers=1), TARGET, name, access)
        self._container, self._works = container, works

    def _setting(self, place: Place) -> GuestCgroups:
        return GuestCgroups((str(self._container.cgroup),))

    def _changed(self) -> str:
        if not self._works:
            self._container.occupy()
            raise KernelRefused("it does not begin")
        return "nothing"

    def _measure(self) -> str | None:
        return "the container is gone" if self._container.gone else None


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Container:
    monkeypatch.setattr(guests, "PATIENCE_SECONDS", 0.02)
    return Container(tmp_path)


@pytest.fixture
def changes(tmp_path: Path) -> Changes:
    """Where is written down what is changed. A watchdog was there a moment ago."""
    made = Changes(tmp_path / "state")
    made.beat()
    return made


def test_what_is_left_behind_is_left_also_when_the_container_goes(container: Container, changes: Changes) -> None:
    hit = Hit(container, changes)
    hit.arm(soon())
    container.occupy()
    container.gone = True
    hit.look()
    assert hit.record.state is TargetState.LEFT_OVER
    assert hit.record.leftovers == [f"{container.cgroup} still has processes"]
    assert hit.record.message == "the container is gone"


def test_what_is_left_behind_is_left_also_when_it_did_not_begin(container: Container, changes: Changes) -> None:
    hit = Hit(container, changes, works=False)
    hit.arm(soon())
    assert hit.record.state is TargetState.LEFT_OVER
    assert hit.record.message == "it does not begin"


def test_a_container_that_goes_with_all_that_was_done_to_it_is_gone(container: Container, changes: Changes) -> None:
    hit = Hit(container, changes)
    hit.arm(soon())
    container.gone = True
    hit.look()
    assert hit.record.state is TargetState.GONE
    assert not list(changes.all())


def test_what_could_not_be_undone_is_in_nobodys_way_when_it_is(container: Container, changes: Changes) -> None:
    left, following = Hit(container, changes), Hit(container, changes, "stress.1")
    left.arm(soon())
    container.occupy()
    left.lift()
    assert left.record.state is TargetState.LEFT_OVER
    refused = Hit(container, changes, "stress.2")
    refused.arm(soon())
    assert refused.record.state is TargetState.REFUSED
    assert "the watchdog goes on undoing it" in (refused.record.message or "")
    container.leave()
    assert next(changes.all()).setting.put_back(), "as the watchdog does"
    following.arm(soon())
    assert following.record.state is TargetState.ARMED
    following.lift()
    assert not list(changes.all())
