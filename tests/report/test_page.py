"""Pages: one file that asks for nothing, is never better than its evidence, and says any text as it is."""

import html
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from showstopper.api.room import Crowd, MeasuredIndicator
from showstopper.api.run import ExpectationRecord, WindowRecord
from showstopper.api.verdicts import Verdict
from showstopper.availability.spans import State
from showstopper.report import bullets, crowds, looks, page
from showstopper.report.record import NOT_KNOWN, Act, Day, Record
from tests.availability.build import J, L, N, Story, feed, spans, timeline, window
from tests.report import build

ALLOWED = {"rect", "path", "use", "g", "text", "tspan", "clippath", "defs", "pattern", "svg", "style"}


class Reader(HTMLParser):
    """The tags, the values of attributes that could load something, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href", "action", "data"}]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_self_contained(text: str) -> Reader:
    reader = Reader(text)
    assert not reader.tags & {"script", "link", "img", "iframe", "object", "embed", "form", "a", "base"}
    assert all(value.startswith("#") for value in reader.loads)
    assert not reader.handlers
    assert "@import" not in text
    assert not re.findall(r"url\((?!#)", text)
    return reader


@pytest.mark.parametrize("verdict", [*Verdict, None])
def test_every_verdict_stands_first_and_only_a_pass_is_green(verdict: Verdict | None) -> None:
    text = page.of_run(build.record(verdict))
    reader = assert_self_contained(text)
    look = looks.of_verdict(verdict)
    assert f"{look.symbol} {verdict or 'No verdict'}" in " ".join(reader.text.split())
    assert (looks.PASSED.background in text) == (verdict is Verdict.PASSED)
    assert "default-src 'none'" in text


def test_a_verdict_that_this_version_does_not_know_is_not_green() -> None:
    record = build.record()
    record.run.status.verdict = "Splendid"
    assert looks.PASSED.background not in page.of_run(record)


def test_no_other_colour_is_green() -> None:
    """Green: more of it than of red and of blue, by a sixth of the scale."""
    shown = {look.colour for look in looks.STATES.values()} | {
        look.background for verdict, look in looks.VERDICTS.items() if verdict is not Verdict.PASSED
    }
    for colour in shown:
        red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
        assert green < max(red, blue) + 43, colour


def test_every_state_is_told_apart_by_its_character_and_by_its_pattern() -> None:
    assert len({look.character for look in looks.STATES.values()}) == len(State)
    assert len({(look.colour, look.hatch) for look in looks.STATES.values()}) == len(State)


def test_garbled_sound_is_drawn_and_explained() -> None:
    record = build.record()
    assert record.heard is not None
    first, *others = record.heard.residents
    garbled = replace(first, spans=tuple(replace(span, state=State.GARBLED) for span in first.spans))
    text = page.of_run(replace(record, heard=replace(record.heard, residents=(garbled, *others))))
    assert looks.STATES[State.GARBLED].words in Reader(text).text


def test_without_spans_no_listener_is_drawn_and_the_page_says_why() -> None:
    text = page.of_run(build.silent())
    assert NOT_KNOWN in text
    assert looks.STATES[L].colour.lower() not in text


def test_what_is_not_known_is_drawn_as_that() -> None:
    assert "not known" in Reader(page.of_run(build.record())).text


def test_the_resource_is_there_as_it_was_asked_for() -> None:
    text = Reader(page.of_run(build.record())).text
    assert "kind: ExperimentRun" in text
    assert "revision: 2026.11.3" in text


def test_the_same_record_gives_the_same_page() -> None:
    assert page.of_run(build.record()) == page.of_run(build.record())


def test_names_of_pictures_are_unique_in_a_page() -> None:
    """Else a pattern of a hidden picture, which is not drawn, would be taken for a shown one's."""
    names = re.findall(r' id="([^"]+)"', page.of_day(build.day()))
    assert names
    assert len(names) == len(set(names))


def test_a_day_has_its_acts_and_their_runs() -> None:
    reader = assert_self_contained(page.of_day(build.day(listeners=12)))
    assert "Act 2: relay-killed" in reader.text
    assert "approved by ada" in reader.text
    assert "Act 3" not in reader.text


def test_a_day_of_ten_minutes_with_twelve_listeners_is_small() -> None:
    """Two minutes an act; each listener loses the host every five seconds."""
    restless = [(L, 4.0), (N, 0.6), (J, 0.4)] * 24
    acts = tuple(_restless(number, restless) for number in range(5))
    text = page.of_day(Day("show", "rehearsal", "Failed", "ActFailed", "no act passed", acts=acts))
    assert len(text.encode()) < 1_000_000


def _restless(number: int, story: Story) -> Act:
    start = number * 120.0
    run = build.run(Verdict.FAILED, start=start, finishedAt=build.at(start + 120.0))
    run.metadata.uid = f"run-{number}"
    names = [f"main-stage-listeners-{index // 3}/{index}" for index in range(12)]
    told = [span for name in names for span in spans(name, story, start)]
    heard = timeline(feed(told, clock=start + 120.0)).view(window(start, start + 120.0), names)
    return Act(f"act-{number}", "Failed", "", None, Record(run, build.body(run), heard, "", build.VERSIONS))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_text(text: str) -> None:
    marked = f"<script>alert(1)</script><img src=x onerror=y>{text}"
    record = build.record(Verdict.FAILED, message=marked)
    record.run.metadata.name = marked
    record.run.status.targets[0].pod = marked
    record.run.spec.faults[0].__dict__["name"] = marked
    record.run.status.targets[0].fault = marked
    assert_self_contained(page.of_run(record))


def test_blank_lines_of_a_text_stay_in_the_yaml() -> None:
    record = build.record()
    body = {**record.body, "spec": {"revision": "first\n\nsecond\n"}}
    text = page.of_run(replace(record, body=body))
    shown = html.unescape(text.partition("<pre>")[2].partition("</pre>")[0])
    assert yaml.safe_load(shown)["spec"]["revision"] == "first\n\nsecond\n"


def test_a_lower_bound_above_all_other_figures_is_inside_the_scale() -> None:
    run = build.run(Verdict.INCONCLUSIVE)
    run.status.expectations = [ExpectationRecord(indicator="RecoveryTime", max="30s", outcome="Unmeasured")]
    run.status.windows = [
        WindowRecord(
            name="Judged",
            from_=build.at(0),
            to=build.at(60),
            indicators=[MeasuredIndicator(indicator="RecoveryTime", at_least="40s", samples=1)],
        )
    ]
    (bullet,) = bullets.bullets(run)
    assert bullet.least == 40.0
    assert bullet.scale >= 40.0


def test_a_crowd_is_a_band_and_its_worst_listeners_are_rows() -> None:
    text = page.of_run(build.with_crowd())
    words = " ".join(assert_self_contained(text).text.split())
    assert "What 6 listeners and a crowd of 40 heard over time" in text
    assert "Crowd of 40, hidden" in words
    assert "20 of 40 listeners lost the host at some time." in words
    assert crowds.limits(Crowd(count=40)) in words
    assert words.count("crowd 0/38") == 3  # in both pictures and in the table
    assert "crowd 0/28" not in words
    assert "Outages of the crowd" in words
    assert "3.1ms" in words
    assert "AudibleRatio of the crowd100%93.8%" in words  # the cells of one row


def test_a_page_of_a_large_crowd_is_as_small_as_that_of_a_small_one() -> None:
    small, large = (len(page.of_run(build.with_crowd(count=count))) for count in (40, 1000))
    assert large < 1.3 * small


def test_a_crowd_that_misses_nothing_has_no_worst_listeners() -> None:
    record = build.with_crowd()
    assert record.crowd is not None
    well = replace(record.crowd, residents=record.crowd.residents[1::2])
    text = Reader(page.of_run(replace(record, crowd=well))).text
    assert "0 of 20 listeners lost the host" in text
    assert "crowd 0/1 " not in text


def test_a_crowd_is_drawn_where_nothing_is_known_of_the_listeners() -> None:
    text = page.of_run(replace(build.with_crowd(), heard=None, note="the pods are gone"))
    assert "What a crowd of 40 heard" in text
    assert "? the pods are gone" in Reader(text).text


def test_the_bounds_of_a_crowd_are_drawn_beside_what_was_measured_of_it() -> None:
    drawn = {bullet.words: bullet for bullet in bullets.bullets(build.with_crowd().run)}
    bullet = drawn["✗ AudibleRatio of the crowd ≥ 95%"]
    assert (bullet.before, bullet.value, bullet.suffix) == (100.0, 93.8, "%")
