"""The game days among the examples: they are right, what they refer to is there, and short nights are the same ones."""

import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.cluster.apiserver import ApiServer
from showstopper.api.experiment import Experiment, ExperimentSpec
from showstopper.api.game_day import Act, GameDay
from showstopper.api.room import AudioRoom
from showstopper.cli.kube import manifest
from showstopper.cluster.kinds import AUDIO_ROOM
from showstopper.faults.storm import schedule
from tests.support.api_server import ROOT

EXAMPLES = ROOT / "examples"
FOLDER = EXAMPLES / "game-days"
DAYS = sorted(FOLDER.glob("*.yaml"))
NIGHTS = [FOLDER / "2024-interview.yaml", FOLDER / "2023-campaign-launch.yaml"]
SHORT = FOLDER / "short"
STAGE = "main-stage"

FOUR_MINUTES = timedelta(minutes=4)
PER_ACT = timedelta(seconds=6)
"""What an act takes beside its own times: its run is made, waits for a room that is well, and is judged."""
OPERATOR_KILLED = timedelta(seconds=25)
"""How long a new operator takes to lead, once in a night."""


def named(path: Path) -> str:
    return path.stem


def read(path: Path) -> manifest.Manifest:
    return manifest.read(path, "show", namespace_given=True)


def day_of(path: Path) -> GameDay:
    body = read(path).game_day
    assert body is not None
    return GameDay.parse(body)


def shortened(path: Path) -> GameDay:
    """The night with the short form's changes."""
    body = copy.deepcopy(read(path).game_day)
    assert body is not None
    for change in yaml.safe_load((SHORT / path.stem / "patch.yaml").read_text()):
        *parents, last = [int(part) if part.isdigit() else part for part in change["path"].strip("/").split("/")]
        place: Any = body
        for part in parents:
            place = place[part]
        assert place[last] is not None, f"{change['path']} is there to be changed"
        if change["op"] == "remove":
            del place[last]
        else:
            assert (change["op"], place[last] != change["value"]) == ("replace", True), change
            place[last] = change["value"]
    return GameDay.parse(body)


def spec_of(act: Act) -> ExperimentSpec:
    assert act.experiment is not None
    return act.experiment


def length(act: Act) -> timedelta:
    """How long it takes: its hold, its baseline, its longest fault, its recovery."""
    spec = spec_of(act)
    hold = act.hold.for_ if act.hold is not None else None
    longest = max(fault.duration or timedelta() for fault in spec.faults)
    return (hold or timedelta()) + spec.timing.baseline + longest + spec.timing.recovery + PER_ACT


@pytest.mark.parametrize("path", DAYS, ids=named)
def test_every_act_has_its_room_and_its_experiment(path: Path) -> None:
    rooms = {AudioRoom.parse(body).metadata.name for body in read(path).of_kind(AUDIO_ROOM)} | {STAGE}
    experiments = {
        name: Experiment.parse(body).spec
        for file in EXAMPLES.glob("*.yaml")
        for body in yaml.safe_load_all(file.read_text())
        if body["kind"] == "Experiment" and (name := body["metadata"]["name"])
    }
    for act in day_of(path).spec.acts:
        spec = act.experiment or experiments[act.experiment_ref.name if act.experiment_ref else ""]
        assert spec.room_ref.name in rooms, act.name


@pytest.mark.parametrize("path", DAYS, ids=named)
def test_every_fault_of_an_act_has_an_example_of_its_own(path: Path) -> None:
    alone = {
        fault.kind
        for file in EXAMPLES.glob("*.yaml")
        for body in yaml.safe_load_all(file.read_text())
        if body["kind"] == "Experiment"
        for fault in Experiment.parse(body).spec.faults
    }
    # A partition is told in docs/faults.md, and its example is the rehearsal itself.
    used = {fault.kind for act in day_of(path).spec.acts for fault in spec_of(act).faults}
    assert used - {"partition", "portBlock"} <= alone


@pytest.mark.parametrize("path", NIGHTS, ids=named)
def test_every_act_of_a_night_says_which_event_it_replays(path: Path) -> None:
    lines = path.read_text().splitlines()
    for act in day_of(path).spec.acts:
        assert lines[lines.index(f"    - name: {act.name}") - 1].startswith("    # "), act.name


@pytest.mark.parametrize("path", NIGHTS, ids=named)
def test_the_short_form_is_the_same_night(path: Path) -> None:
    whole, short = day_of(path), shortened(path)
    assert [act.name for act in short.spec.acts] == [act.name for act in whole.spec.acts]
    for act, other in zip(short.spec.acts, whole.spec.acts, strict=True):
        spec, wanted = spec_of(act), spec_of(other)
        assert spec.room_ref == wanted.room_ref
        assert [fault.kind for fault in spec.faults] == [fault.kind for fault in wanted.faults]
        assert [fault.target for fault in spec.faults] == [fault.target for fault in wanted.faults]
        assert length(act) <= length(other), act.name


@pytest.mark.parametrize("path", NIGHTS, ids=named)
def test_the_short_form_takes_less_than_four_minutes(path: Path) -> None:
    acts = shortened(path).spec.acts
    assert sum(map(length, acts), OPERATOR_KILLED) < FOUR_MINUTES


@pytest.mark.parametrize("path", NIGHTS, ids=named)
def test_the_storms_of_both_forms_fit_into_their_durations(path: Path) -> None:
    for day in (day_of(path), shortened(path)):
        for act in day.spec.acts:
            for fault in spec_of(act).faults:
                if (storm := fault.join_storm) is not None:
                    assert fault.duration is not None
                    needed = schedule.needed(storm.joins or 0, storm.rate, 0.0)
                    assert needed <= fault.duration.total_seconds(), act.name


@pytest.mark.apiserver
@pytest.mark.parametrize("path", NIGHTS, ids=named)
def test_kustomize_makes_the_short_form(server: ApiServer, path: Path) -> None:
    made = server.kubectl("kustomize", "--load-restrictor=LoadRestrictionsNone", str(SHORT / path.stem))
    server.kubectl("apply", "--dry-run=server", "--filename=-", stdin=made)
    (day,) = [body for body in yaml.safe_load_all(made) if body["kind"] == "GameDay"]
    assert GameDay.parse(day).spec == shortened(path).spec
