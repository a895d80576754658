"""JUnit: by every verdict, read as CI servers read it."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped

from showstopper.api.verdicts import Verdict
from showstopper.report import junit
from showstopper.report.record import Act, Day
from tests.report import build, golden

SCHEMA = xmlschema.XMLSchema(str(Path(__file__).with_name("junit.xsd")))


def read(text: str) -> JUnitXml:
    """The document, if it is one that the strictest take."""
    SCHEMA.validate(text)
    return JUnitXml.fromstring(text.encode())


def results(text: str) -> list[list[type]]:
    """What came of each case, suite by suite."""
    return [[type(case.result[0]) if case.result else type(None) for case in suite] for suite in read(text)]


GOOD = type(None)
EXPECTED = {
    Verdict.PASSED: [GOOD, GOOD, GOOD, GOOD],
    Verdict.FAILED: [GOOD, GOOD, GOOD, Failure],
    Verdict.INCONCLUSIVE: [Error] * 4,
    Verdict.ABORTED: [Error] * 4,
    Verdict.ERROR: [Error] * 4,
    None: [Error] * 4,
}


@pytest.mark.parametrize("verdict", list(EXPECTED))
def test_a_case_for_each_expectation_is_never_better_than_the_verdict(verdict: Verdict | None) -> None:
    assert results(junit.of_run(build.run(verdict))) == [EXPECTED[verdict]]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_golden(verdict: Verdict) -> None:
    golden.assert_same(f"{verdict.lower()}.xml", junit.of_run(build.run(verdict)))


def test_an_expectation_that_was_met_in_a_run_that_could_not_tell_is_no_pass() -> None:
    met = {"indicator": "AudibleRatio", "min": "70%", "outcome": "Met", "value": "91.5%"}
    others = build.run(Verdict.PASSED).status.expectations[1:]
    run = build.run(Verdict.INCONCLUSIVE, expectations=[met, *[other.model_dump(by_alias=True) for other in others]])
    assert results(junit.of_run(run)) == [[Error] * 4]


def test_what_was_not_measured_in_a_failed_run_is_an_error_and_no_failure() -> None:
    run = build.run(Verdict.FAILED)
    run.status.expectations[0].outcome = "Unmeasured"
    assert results(junit.of_run(run)) == [[Error, GOOD, GOOD, Failure]]


def test_a_verdict_that_this_version_does_not_know_is_no_pass() -> None:
    run = build.run(Verdict.PASSED)
    run.status.verdict = "Splendid"
    assert results(junit.of_run(run)) == [[Error] * 4]


def test_a_record_without_its_expectations_is_no_pass() -> None:
    assert results(junit.of_run(build.run(Verdict.PASSED, expectations=[]))) == [[Error] * 4]


def test_revision_and_digests_are_properties() -> None:
    text = junit.of_run(build.run())
    suite = next(iter(read(text)))
    properties = {
        element.get("name"): element.get("value") for element in ElementTree.fromstring(text).iter("property")
    }
    assert properties["revision"] == "2026.11.3"
    assert properties["release.relay.livekit.digest"] == "sha256:a1"
    assert (suite.tests, suite.failures, suite.errors, suite.time) == (4, 0, 0, build.END)


def test_the_release_that_was_tested_is_named_and_not_the_one_of_the_request() -> None:
    run = build.run(release=[build.image("sha256:new"), build.image("sha256:late")])
    text = junit.of_run(run)
    properties = {each.get("name"): each.get("value") for each in ElementTree.fromstring(text).iter("property")}
    assert properties["release.relay.livekit.digest"] == "sha256:new"
    assert properties["release.relay.livekit.2.digest"] == "sha256:late"
    assert "sha256:a1" not in text


def test_no_run_at_all_is_an_error() -> None:
    text = junit.of_nothing("show", "relay-pod-kill", "NoTargets", "no pod matches")
    assert results(text) == [[Error]]
    assert "no pod matches" in text


def test_a_day_has_a_suite_for_itself_and_each_act() -> None:
    assert results(junit.of_day(build.day())) == [[Failure], [GOOD] * 4, [GOOD, GOOD, GOOD, Failure], [Skipped]]
    golden.assert_same("day.xml", junit.of_day(build.day()))


def test_a_day_of_which_nothing_ran_is_not_green() -> None:
    day = Day("show", "d", "Aborted", "WindowPassed", "too late", acts=(Act("one"),))
    assert results(junit.of_day(day)) == [[Error], [Skipped]]


ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=40)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_any_text_makes_a_document(name: str, reason: str, message: str) -> None:
    root: Any = ElementTree.fromstring(junit.of_nothing(name, name, reason, message).encode())
    assert [child.tag for child in root.iter()].count("error") == 1


def test_golden_of_a_crowd() -> None:
    golden.assert_same("crowd.xml", junit.of_run(build.with_crowd().run))
