"""Markdown: what people read in a pull request; whatever stands in it stays text."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from showstopper.api.verdicts import Verdict
from showstopper.report import markdown
from showstopper.report.record import NOT_KNOWN, Act, Day
from tests.report import build, golden

PARSER = MarkdownIt("commonmark").enable("table")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_golden(verdict: Verdict) -> None:
    golden.assert_same(f"{verdict.lower()}.md", markdown.of_run(build.record(verdict)))


def test_a_day() -> None:
    golden.assert_same("day.md", markdown.of_day(build.day()))


def test_without_spans_it_says_so() -> None:
    text = markdown.of_run(build.silent())
    assert NOT_KNOWN in text
    assert "█" not in text


@given(st.text(max_size=60))
def test_any_text_is_shown_as_it_is(text: str) -> None:
    shown = PARSER.parse(f"| a |\n|---|\n| x {markdown.escaped(text)} |\n")
    cell = next(token for token in shown if token.type == "inline" and token.content.startswith("x"))
    children = cell.children or []
    assert {child.type for child in children} <= {"text", "text_special"}
    told = "".join(child.content for child in children).replace("\u2060", "")
    assert told.split() == f"x {text}".replace("\u2060", "").replace("\u0000", "\ufffd").split()


@pytest.mark.parametrize(
    "text",
    ["https://example.org/x", "see www.example.org", "fixes #12", "GH-7", "0a3f2a1", 40 * "b"],
)  # fmt: skip
def test_what_github_makes_a_link_of_by_itself_stays_text(text: str) -> None:
    shown = markdown.escaped(text)
    assert "\u2060" in shown
    assert text not in shown


@pytest.mark.parametrize("text", ["relay-687645b55d-qx7lm", "sha256:a1", "20s", "# 12", "# heading"])
def test_what_is_no_link_is_not_touched(text: str) -> None:
    assert "\u2060" not in markdown.escaped(text)


def test_nobody_is_called_and_no_row_is_added() -> None:
    day = Day(
        "show", "d", "Failed", "Bad", "@everyone | <img src=x> `rm`\n| evil | row |", acts=(Act("[a](http://x)"),)
    )
    text = markdown.of_day(day)
    assert "@everyone" not in text
    assert "\n| evil" not in text
    assert re.search(r"(?<!\\)[<\[]", text) is None


def test_a_backtick_in_a_name_does_not_end_the_code_block() -> None:
    record = build.record()
    assert record.heard is not None
    lines = markdown.strips(record)
    assert len(lines) == 1 + len(record.heard.residents)
    assert not any("`" in line for line in lines)


def test_golden_of_a_crowd() -> None:
    golden.assert_same("crowd.md", markdown.of_run(build.with_crowd()))


def test_a_crowd_stands_alone_where_nothing_is_known_of_the_listeners() -> None:
    record = replace(build.with_crowd(), heard=None, note="the pods are gone")
    shown = markdown.of_run(record)
    assert "the pods are gone" in shown
    assert any(line.startswith("crowd  ") for line in shown.splitlines())
    assert "1/3" not in shown


def test_a_crowd_of_which_nothing_is_known_is_said_to_be() -> None:
    shown = markdown.of_run(replace(build.with_crowd(hidden=False), crowd=None))
    assert "Crowd of 40: What its listeners heard is not available." in shown
    assert "Hidden" not in shown


def test_newcomers_of_a_crowd_are_counted() -> None:
    assert "3 newcomers called, 2 of them heard the host." in markdown.of_run(build.with_newcomers())
    assert "newcomers called" not in markdown.of_run(build.with_crowd())
