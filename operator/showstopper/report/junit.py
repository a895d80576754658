"""JUnit: one test case per expectation, in the form that Ant set and that CI servers read. Pure.

    <failure>  the run Failed, and this expectation was missed
    <error>    it could not be measured, or the run ended without being able to tell: Inconclusive, Aborted, Error,
               no verdict yet, no run at all
    <skipped>  an act of a game day to which the day never came. The day itself then is an <error>

A case is good only if its expectation was met in a run that could tell: Passed, or Failed by another expectation.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.api.verdicts import Verdict
from showstopper.availability.expectations import Outcome
from showstopper.clock import from_timestamp, to_timestamp
from showstopper.report import crowds
from showstopper.report.record import Act, Day, by_container
from showstopper.report.words import asked

# XML 1.0, section 2.2: what no document may hold, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TELLING = frozenset({Verdict.PASSED, Verdict.FAILED})


class Result(StrEnum):
    """The result of a test case. Unless it is good, the name of its element."""

    GOOD = "good"
    FAILURE = "failure"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Case:
    """One test case. `reason` is a CamelCase word, `message` a sentence."""

    name: str
    result: Result
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """The test cases of one run, with what they were run against."""

    package: str
    name: str
    cases: tuple[Case, ...]
    properties: Mapping[str, str]
    started_at: str = ""
    seconds: float = 0.0
    words: str = ""


def of_run(run: ExperimentRun) -> str:
    """The document of one run."""
    return _document([suite_of(run)])


def of_nothing(namespace: str, name: str, reason: str, message: str) -> str:
    """The document where no run came about: an error, so that nobody takes silence for a pass."""
    case = Case("a run with a verdict", Result.ERROR, reason, message)
    return _document([Suite(namespace, name, (case,), {})])


def of_day(day: Day) -> str:
    """The document of a game day: a suite for the day, whose one case is its verdict, and one for each act."""
    whole = Case("the verdict of the day", *_of_day(day))
    first = Suite(day.namespace, day.name, (whole,), {}, day.started_at, _seconds(day.started_at, day.finished_at))
    return _document([first, *(_of_act(day, act) for act in day.acts)])


def suite_of(run: ExperimentRun, name: str = "") -> Suite:
    """A run's suite: its expectations in the order in which they are declared."""
    origin, status = run.spec.experiment, run.status
    return Suite(
        package=run.metadata.namespace,
        name=name or origin.name,
        cases=tuple(cases(run)),
        properties=_properties(run),
        started_at=status.started_at or "",
        seconds=_seconds(status.started_at, status.finished_at),
        words=f"{status.verdict or 'no verdict yet'}: {status.message or ''}",
    )


def cases(run: ExperimentRun) -> Iterable[Case]:
    """A case for each expectation."""
    status = run.status
    judged = any(status.verdict == verdict for verdict in _TELLING)
    records = status.expectations if len(status.expectations) == len(run.spec.expect) else []
    for index, declared in enumerate(run.spec.expect):
        name = f"{declared.measured.name} {asked(declared.min, declared.max)}"
        if not judged or not records:
            message = status.message or "there is no verdict yet"
            reason = status.reason or Reason.NO_VERDICT
            yield Case(name, Result.ERROR, reason, f"{status.verdict or 'No verdict'}: {message}")
        else:
            record = records[index]
            yield Case(name, *_of_outcome(record.outcome, status.verdict), record.message)


def _of_outcome(outcome: str, verdict: str | None) -> tuple[Result, str]:
    if outcome == Outcome.MET:
        return Result.GOOD, ""
    if outcome == Outcome.MISSED and verdict == Verdict.FAILED:
        return Result.FAILURE, Reason.EXPECTATION_MISSED
    return Result.ERROR, Reason.NOT_MEASURED


def _of_day(day: Day) -> tuple[Result, str, str]:
    message = f"{day.verdict or 'No verdict'}: {day.message}"
    if day.verdict == Verdict.PASSED:
        return Result.GOOD, "", ""
    failed = day.verdict == Verdict.FAILED
    return (Result.FAILURE if failed else Result.ERROR), day.reason or Reason.NO_VERDICT, message


def _of_act(day: Day, act: Act) -> Suite:
    name = f"{day.name}: {act.name}"
    if act.record is not None:
        return suite_of(act.record.run, name)
    result = Result.ERROR if act.verdict else Result.SKIPPED
    reason, message = act.verdict or Reason.ACT_SKIPPED, act.message or "the day did not come to it"
    case = Case("a run with a verdict", result, reason, message)
    return Suite(day.namespace, name, (case,), {})


def _properties(run: ExperimentRun) -> dict[str, str]:
    """What was run against what: revision, verdict, the room's crowd, and each image of the release that was tested."""
    origin = run.spec.experiment
    properties = {
        "run": run.metadata.name,
        "experiment": origin.name,
        "room": run.spec.room.name,
        "revision": origin.revision,
        "verdict": run.status.verdict or "",
        "reason": run.status.reason or "",
    }
    if (crowd := crowds.of(run)) is not None:
        properties |= {"crowd": crowds.name(crowd), "crowd.limits": crowds.limits(crowd)}
    for (component, container), images in by_container(run.release).items():
        for number, image in enumerate(images, 1):
            name = f"release.{component}.{container}" + (f".{number}" if number > 1 else "")
            properties |= {f"{name}.image": image.image, f"{name}.digest": image.digest}
    return properties


def _seconds(start: str | None, end: str | None) -> float:
    return max(0.0, from_timestamp(end) - from_timestamp(start)) if start and end else 0.0


def _document(suites: list[Suite]) -> str:
    root = Element("testsuites")
    for number, suite in enumerate(suites):
        _add(root, number, suite)
    indent(root)
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written.decode() + "\n"


def _add(root: Element, number: int, suite: Suite) -> None:
    """A suite with the elements and attributes that the strictest readers ask for, in their order."""
    element = SubElement(
        root,
        "testsuite",
        name=_text(suite.name) or "?",
        tests=str(len(suite.cases)),
        failures=_count(suite, Result.FAILURE),
        errors=_count(suite, Result.ERROR),
        skipped=_count(suite, Result.SKIPPED),
        time=f"{suite.seconds:.3f}",
        timestamp=_utc(suite.started_at),
        hostname="localhost",
        package=_text(suite.package) or "default",
        id=str(number),
    )
    properties = SubElement(element, "properties")
    for name, value in suite.properties.items():
        SubElement(properties, "property", name=_text(name), value=_text(value))
    for case in suite.cases:
        _add_case(element, suite, case)
    SubElement(element, "system-out").text = _text(suite.words)
    SubElement(element, "system-err")


def _add_case(element: Element, suite: Suite, case: Case) -> None:
    classname = f"{suite.package}.{suite.name}"
    testcase = SubElement(element, "testcase", name=_text(case.name), classname=_text(classname), time="0")
    if case.result is not Result.GOOD:
        problem = SubElement(testcase, case.result, type=_text(case.reason), message=_text(case.message))
        problem.text = _text(case.message)


def _count(suite: Suite, result: Result) -> str:
    return str(sum(1 for case in suite.cases if case.result is result))


def _utc(timestamp: str) -> str:
    """To the second and without a zone, as the form has it."""
    return to_timestamp(from_timestamp(timestamp))[:19] if timestamp else "1970-01-01T00:00:00"


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
