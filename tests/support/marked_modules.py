"""Modules in which nothing has the marks that a run asks for are not loaded.

`make livekit` runs thirty tests of thousands. To load all of them takes a process twenty seconds of CPU, and each of
its workers as much. So a module is left alone where neither it nor a conftest.py above it writes a mark that each test
of the run must have. Whoever gives marks in any other way is told so by the first run that loads everything.
"""

from __future__ import annotations

import ast
import itertools
import re
from functools import cache
from pathlib import Path

import pytest

CHOOSING = frozenset({"alone", "apiserver", "browser", "charts", "livekit", "netns", "postgresql"})
"""The marks by which runs of the Makefile choose. Plugins have marks of their own, and give them as they like."""


def required(expression: str) -> frozenset[str]:
    """The marks without which nothing is chosen by an expression as `pytest -m` takes it. None, if it is none."""
    try:
        tree = ast.parse(expression, mode="eval").body
    except SyntaxError:
        return frozenset()  # pytest says what is wrong with it
    names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)})
    sets = (frozenset(each) for count in range(len(names) + 1) for each in itertools.combinations(names, count))
    choosing = [marks for marks in sets if _chooses(tree, marks)]
    return frozenset.intersection(*choosing) if choosing else frozenset()


def _chooses(node: ast.expr, marks: frozenset[str]) -> bool:
    """Whether an expression chooses a test with these marks. What else pytest takes, as mark(name=1), may do so."""
    match node:
        case ast.Name(id=name):
            return name in marks
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _chooses(operand, marks)
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_chooses(each, marks) for each in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_chooses(each, marks) for each in values)
    return True


@cache
def written(file: Path) -> frozenset[str]:
    """The marks that a module writes."""
    return frozenset(re.findall(r"\bmark\.([A-Za-z_]\w*)", file.read_text())) if file.exists() else frozenset()


@cache
def written_for(module: Path, root: Path) -> frozenset[str]:
    """The marks that a module writes, or a conftest.py above it, up to the root."""
    above = [folder for folder in module.parents if folder == root or root in folder.parents]
    return written(module).union(*(written(folder / "conftest.py") for folder in above))


class MarkedModules:
    """Leaves modules out for a run with such an expression. `root` is the folder of all tests."""

    def __init__(self, expression: str, root: Path) -> None:
        self._root = root
        self._required = required(expression) & CHOOSING if expression else frozenset[str]()

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Whether a module can have nothing for this run. None: it may have."""
        if not self._required or collection_path.suffix != ".py" or self._root not in collection_path.parents:
            return None
        return None if self._required <= written_for(collection_path, self._root) else True

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Refuse marks that would not be found.

        Raises:
            UsageError: naming the test.
        """
        if self._required:
            return
        for item in items:
            if self._root in item.path.parents and (
                unseen := CHOOSING & {mark.name for mark in item.iter_markers()} - written_for(item.path, self._root)
            ):
                raise pytest.UsageError(
                    f"{item.nodeid} is marked {', '.join(sorted(unseen))}: write that in its module, or in a "
                    "conftest.py above it, as pytest.mark.NAME, for runs of that mark leave it out otherwise"
                )
