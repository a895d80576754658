import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import report


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(number) for number in range(1, 101)]
    assert report.percentile(values, 0.5) == 50
    assert report.percentile(values, 0.95) == 95
    assert report.percentile(values, 1) == 100
    assert report.percentile([7.0], 0.95) == 7


def test_nothing_has_no_percentile() -> None:
    assert report.percentile([], 0.5) is None
    assert report.milliseconds(None) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0.01, 1))
def test_at_least_the_share_does_not_exceed_the_percentile(values: list[float], share: float) -> None:
    percentile = report.percentile(values, share)
    assert percentile is not None
    assert sum(value <= percentile for value in values) / len(values) >= share - 1e-9


def test_figures_are_one_flat_object(tmp_path: Path) -> None:
    file = report.write("some", {"kills": 10, "p95_difference_ms": 12.3, "nothing": None}, tmp_path / "bench")
    written = json.loads(file.read_text())
    assert all(isinstance(written.pop(figure), float) for figure in ("load_average", "million_passes_ms"))
    assert written == {"kills": 10, "p95_difference_ms": 12.3, "nothing": None}


def test_seconds_become_milliseconds_to_a_tenth() -> None:
    assert report.milliseconds(0.12342) == pytest.approx(123.4)


@pytest.mark.parametrize(("value", "text"), [(None, "-"), (1.23456, "1.235"), ("x", "x"), (3, "3")])
def test_cells(value: object, text: str) -> None:
    assert report.cell(value) == text
