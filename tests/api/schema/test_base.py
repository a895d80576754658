"""Resources: read strictly where people write, leniently where we do, and written as they were read."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from showstopper.api.experiment import Expectation, Experiment, ExperimentSpec
from showstopper.api.room import AudioRoom, AudioRoomSpec
from showstopper.api.run import ExperimentRun, ExperimentRunSpec
from showstopper.api.schema.base import Name, dump
from showstopper.api.schema.quantities import Share, format_duration, parse_duration
from showstopper.api.schema.rules import CelRule, Matching, exactly_one
from showstopper.api.verdicts import Verdict
from showstopper.availability.indicators import INDICATORS
from showstopper.availability.indicators.listening import AUDIBLE_RATIO
from showstopper.availability.indicators.recovery import RECOVERY_TIME
from showstopper.availability.units import COUNT_PATTERN, DURATION_PATTERN, SHARE_PATTERN
from showstopper.errors import InvalidResource
from tests.api.build import LEAVE_OUT, experiment, room, run

names = st.from_regex(r"\A[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z").map(str)
shares = st.integers(0, 100_000).map(lambda thousandths: str(Share(thousandths / 100_000)))


def durations(low: int, high: int, unit: int = 1) -> st.SearchStrategy[str]:
    counts = st.integers(low // unit, high // unit)
    return counts.map(lambda count: format_duration(timedelta(milliseconds=count * unit)))


def up_to_an_hour() -> st.SearchStrategy[str]:
    return durations(0, 3_600_000)


@st.composite
def bounded(draw: st.DrawFn, lower: str, upper: str) -> dict[str, Any]:
    indicator = draw(st.sampled_from(INDICATORS))
    counts = st.integers(0, 999_999_999).map(str)
    bounds = {SHARE_PATTERN: shares, DURATION_PATTERN: durations(0, 10**9), COUNT_PATTERN: counts}
    return {"indicator": indicator.name, draw(st.sampled_from([lower, upper])): draw(bounds[indicator.unit.pattern])}


def fitting(bound: dict[str, Any], timing: dict[str, str]) -> dict[str, Any]:
    """The bound, no larger than what the recovery can show of it (in one that shows nothing, a lower bound)."""
    if bound["indicator"] != RECOVERY_TIME.name or "max" not in bound:
        return bound
    most = parse_duration(timing.get("recovery", "60s")) - timedelta(seconds=RECOVERY_TIME.seen_after)
    if most < timedelta():
        return {"indicator": bound["indicator"], "min": bound["max"]}
    return {**bound, "max": format_duration(min(parse_duration(bound["max"]), most))}


@st.composite
def experiments(draw: st.DrawFn) -> dict[str, Any]:
    target = st.fixed_dictionaries(
        {"component": names},
        optional={
            "serving": st.booleans(),
            "max": st.integers(1, 500),
            "maxPercent": shares,
            "minReady": st.integers(0, 10_000),
        },
    )
    grace = durations(0, 600_000, 1000)
    kill = st.fixed_dictionaries({}, optional={"gracePeriod": grace})
    aborts = bounded("below", "above").flatmap(
        lambda bound: up_to_an_hour().map(lambda length: {**bound, "for": length})
    )
    timing = draw(st.fixed_dictionaries({}, optional={"baseline": up_to_an_hour(), "recovery": up_to_an_hour()}))
    expect = draw(st.lists(bounded("min", "max"), min_size=1, max_size=4))
    return {
        "roomRef": {"name": draw(names)},
        "revision": draw(st.text(max_size=20)),
        "timing": timing,
        "faults": [
            {"name": name, "target": draw(target), "podKill": draw(kill)}
            for name in draw(st.lists(names, min_size=1, max_size=4, unique=True))
        ],
        "expect": [fitting(bound, timing) for bound in expect],
        "abortIf": draw(st.lists(aborts, max_size=3)),
    }


@given(experiments())
def test_what_is_written_is_read_back_the_same(written: dict[str, Any]) -> None:
    spec = ExperimentSpec.model_validate(written)
    again = ExperimentSpec.model_validate(dump(spec))
    assert again == spec
    assert dump(again) == dump(spec)


@given(experiments())
def test_what_people_wrote_is_not_changed_but_for_spelling(written: dict[str, Any]) -> None:
    spec = dump(ExperimentSpec.model_validate(written))
    assert [fault["name"] for fault in spec["faults"]] == [fault["name"] for fault in written["faults"]]
    for expected, dumped in zip(written["expect"], spec["expect"], strict=True):
        assert expected.items() <= dumped.items()


@pytest.mark.parametrize(
    ("model", "body"), [(AudioRoomSpec, room()), (ExperimentSpec, experiment()), (ExperimentRunSpec, run())]
)
def test_every_spec_survives_the_way_to_the_api_and_back(model: Any, body: dict[str, Any]) -> None:
    spec = model.model_validate(body["spec"])
    assert model.model_validate(dump(spec)) == spec


def test_left_out_is_the_default() -> None:
    spec = Experiment.parse(experiment({"spec.abortIf": LEAVE_OUT})).spec
    assert spec.timing.baseline == timedelta(seconds=15)
    assert spec.timing.recovery == timedelta(seconds=60)
    assert spec.timing.deadline is None
    assert spec.faults[0].target is not None
    assert spec.faults[0].target.min_ready == 0
    assert spec.faults[0].target.most(9) == 1
    assert spec.faults[0].kind == "podKill"
    assert spec.abort_if == ()


def test_a_new_resource_has_been_observed_by_nobody() -> None:
    for kind, body in ((AudioRoom, room()), (Experiment, experiment()), (ExperimentRun, run())):
        assert kind.parse(body).status.observed_generation == -1


def test_a_status_of_a_newer_operator_can_be_read() -> None:
    body = run({"status.verdict": "Passed", "status.mood": "good", "metadata.managedFields": []})
    read = ExperimentRun.parse(body)
    assert read.finished
    assert "mood" not in dump(read.status)


def test_a_spec_cannot_be_changed_in_place() -> None:
    spec = Experiment.parse(experiment()).spec
    with pytest.raises(ValueError, match="frozen"):
        spec.suspend = True  # type: ignore[misc]


def test_an_error_names_object_field_and_mistake_each_once() -> None:
    wrong = experiment({"spec.expect.0.min": "7", "spec.timing.baseline": "1d"})
    with pytest.raises(InvalidResource) as refused:
        Experiment.parse(wrong)
    assert str(refused.value) == (
        "Experiment show/kill: "
        "spec.timing.baseline: '1d' is not a valid duration: write whole hours, minutes, seconds or milliseconds, "
        'like "1m30s"; '
        'spec.expect.0: AudibleRatio is a share: write a percentage from "0%" to "100%", like "99.5%", not \'7\''
    )


def test_an_object_without_a_name_is_named_by_what_it_has() -> None:
    with pytest.raises(InvalidResource, match=r"Experiment \?: metadata: Field required"):
        Experiment.parse({"spec": experiment()["spec"]})


def test_a_room_knows_its_components() -> None:
    spec = AudioRoom.parse(room()).spec
    assert spec.component("relay") is spec.components[0]
    assert spec.component("edge") is None


def test_key_is_namespace_and_name() -> None:
    assert Experiment.parse(experiment()).key == ("show", "kill")


def test_rules_are_of_one_line() -> None:
    with pytest.raises(ValueError, match="one line"):
        CelRule("true", "two\nlines")


def test_a_pattern_must_match_the_whole_text() -> None:
    matching = Matching("a+|b", "write a or b")
    assert matching.check("aa") == "aa"
    assert matching.rule.rule == "self.matches('^(a+|b)$')"
    for text in ("ab", "b\n", ""):
        with pytest.raises(ValueError, match="write a or b"):
            matching.check(text)


def test_exactly_one_counts_what_is_there() -> None:
    assert exactly_one(("a", "b"), "m").rule == "[has(self.a), has(self.b)].filter(given, given).size() == 1"


def test_exit_codes_are_those_of_the_documentation() -> None:
    assert {verdict.value: verdict.exit_code for verdict in Verdict} == {
        "Passed": 0,
        "Failed": 1,
        "Inconclusive": 2,
        "Aborted": 3,
        "Error": 4,
    }


def test_an_indicator_is_written_by_its_name_and_an_unknown_one_is_refused_with_a_list() -> None:
    expected = Expectation.model_validate({"indicator": "AudibleRatio", "min": "70%"})
    assert expected.measured is AUDIBLE_RATIO
    assert dump(expected) == {"indicator": "AudibleRatio", "min": "70%"}
    with pytest.raises(ValidationError, match="'Applause' is not an indicator: write one of JoinSuccess, TimeTo"):
        Expectation.model_validate({"indicator": "Applause", "min": "70%"})


def test_names_are_those_that_labels_take() -> None:
    adapter = TypeAdapter(Name)
    assert adapter.validate_python("a-1")
    for text in ("", "-a", "a-", "A", "a.b", "a" * 64, "a\n"):
        with pytest.raises(ValidationError):
            adapter.validate_python(text)
