"""The list of reasons: complete, and the only thing that decisions compare reasons with."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from showstopper.api.reasons import Reason
from showstopper.api.run import StepName
from tests.support.api_server import ROOT

SOURCES = sorted((ROOT / "operator" / "showstopper").rglob("*.py"))


def test_every_step_of_a_run_is_a_reason() -> None:
    assert set(StepName) <= set(Reason)


def test_a_reason_is_read_from_a_status() -> None:
    assert Reason.parse("LeaseLost") is Reason.LEASE_LOST


@pytest.mark.parametrize("text", ["FromANewerVersion", "", None])
def test_a_reason_of_another_version_is_unknown(text: str | None) -> None:
    assert Reason.parse(text) is Reason.UNKNOWN


def test_no_decision_compares_a_reason_with_a_literal() -> None:
    assert not [f"{path}:{line}" for path in SOURCES for line in compared(path.read_text(encoding="utf-8"))]


def test_a_comparison_with_a_literal_is_found() -> None:
    assert list(compared('same = ready.reason == "NoTargets"')) == [1]
    assert list(compared('some = 1\nsome = run.status.reason in {STOPPED, "LeaseLost"}')) == [2]
    assert not list(compared("same = ready.reason == Reason.NO_TARGETS"))


def compared(source: str) -> list[int]:
    """The lines on which something called `reason` is compared with a text."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare)
        and any(isinstance(part, ast.Attribute) and part.attr == "reason" for part in ast.walk(node))
        and any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in ast.walk(node))
    ]


def test_the_tables_of_the_docs_name_reasons_of_the_list() -> None:
    named = [name for path in sorted((ROOT / "docs").glob("*.md")) for name in tabled(path.read_text(encoding="utf-8"))]
    assert len(named) > 140
    assert not set(named) - set(Reason)


def test_the_reason_column_of_a_table_is_read() -> None:
    page = "| Ready | Reason | when |\n|---|---|---|\n| `True` | `Live`, `NotLive` | `Heard` |\n\n| a | `B` |\n"
    assert list(tabled(page)) == ["Live", "NotLive"]


def tabled(page: str) -> Iterator[str]:
    """The names in the columns of a page's tables that are titled `reason`."""
    column: int | None = None
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        titles = [cell.lower() for cell in cells]
        if not cells:
            column = None
        elif "reason" in titles:
            column = titles.index("reason")
        elif column is not None:
            yield from re.findall("`([A-Za-z]+)`", cells[column])


def test_the_sources_are_there() -> None:
    assert len(SOURCES) > 200
    assert Path(ROOT / "operator" / "showstopper" / "api" / "reasons.py") in SOURCES
