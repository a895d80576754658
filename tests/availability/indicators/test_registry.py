import ast
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from showstopper.availability import indicators
from showstopper.availability.indicators import INDICATORS, Indicator, Population, measure_all, measure_crowd, named
from showstopper.availability.indicators.arriving import ARRIVAL_AUDIBLE, JOIN_SUCCESS
from showstopper.availability.indicators.indicator import Better
from showstopper.availability.indicators.listening import AUDIBLE_RATIO, LONGEST_DEAD_AIR
from showstopper.availability.indicators.mouth_to_ear import MOUTH_TO_EAR
from tests.availability.build import L, view

FOLDER = Path(indicators.__file__).parent


def declared() -> Iterator[str]:
    """The names that stand in the modules of the package."""
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "name" and isinstance(node.value, ast.Constant):
                yield str(node.value.value)


def test_every_indicator_that_a_module_declares_is_there_once() -> None:
    names = [indicator.name for indicator in INDICATORS]
    assert sorted(names) == sorted(declared())
    assert len(names) >= 8


def test_they_are_in_the_order_of_their_ranks_and_are_found_by_name() -> None:
    assert [indicator.rank for indicator in INDICATORS] == sorted(indicator.rank for indicator in INDICATORS)
    assert all(named(indicator.name) is indicator for indicator in INDICATORS)
    assert named("Applause") is None


@pytest.mark.parametrize("field", ["name", "rank"])
def test_two_of_one_name_or_rank_are_refused(field: str) -> None:
    changes = {"name": "Other", "rank": 1000, field: getattr(LONGEST_DEAD_AIR, field)}
    double = dataclasses.replace(JOIN_SUCCESS, **changes)
    with pytest.raises(ValueError, match=f"the same {field}"):
        indicators._in_order(iter([LONGEST_DEAD_AIR, double]))


def test_only_what_should_be_there_is_better_when_higher() -> None:
    higher = {indicator for indicator in INDICATORS if indicator.better is Better.HIGHER}
    assert higher == {JOIN_SUCCESS, AUDIBLE_RATIO, ARRIVAL_AUDIBLE}


@pytest.mark.parametrize("indicator", INDICATORS, ids=str)
def test_each_is_described_for_people(indicator: Indicator) -> None:
    assert re.fullmatch("([A-Z][a-z]+)+", indicator.name)
    assert indicator.meaning[0].isupper()
    assert indicator.meaning.endswith(".")
    assert "|" not in indicator.meaning, "it stands in a Markdown table"


def test_all_are_measured_each_as_itself() -> None:
    results = measure_all(view([(L, 20)]))
    assert list(results) == list(INDICATORS)
    assert all(result.measured is measured for measured, result in results.items())


@pytest.mark.parametrize("population", list(Population)[1:])
def test_a_figure_of_others_is_another_indicator_with_a_name_of_its_own(population: Population) -> None:
    other = AUDIBLE_RATIO.among(population)
    assert other is AUDIBLE_RATIO.among(population)
    assert other != AUDIBLE_RATIO
    assert other.name.startswith("AudibleRatio of ")
    assert named(other.name) is other
    assert (other.unit, other.better) == (AUDIBLE_RATIO.unit, AUDIBLE_RATIO.better)
    measured = measure_crowd(view([(L, 10)]), population)
    assert {figure.population for figure in measured if isinstance(figure, Indicator)} == {population}
    assert measured[other].measured is other
    assert measured[other].value == 1.0


def test_of_the_fleet_it_is_the_same() -> None:
    assert AUDIBLE_RATIO.among(Population.FLEET) is AUDIBLE_RATIO
    assert named(MOUTH_TO_EAR.among(Population.CROWD).name) is None, "a crowd cannot tell it"
