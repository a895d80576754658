"""Which modules a run loads that asks for marks."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.marked_modules import MarkedModules, required


@pytest.mark.parametrize(
    ("expression", "marks"),
    [
        ("livekit", {"livekit"}),
        ("netns and not alone", {"netns"}),
        ("apiserver and not (postgresql or netns)", {"apiserver"}),
        ("charts and browser", {"charts", "browser"}),
        ("charts or browser", set()),
        ("not (apiserver or charts)", set()),
        ("matrix(name='killed') and alone", {"alone"}),
        ("alone and", set()),
    ],
)
def test_what_every_test_of_a_run_must_have(expression: str, marks: set[str]) -> None:
    assert required(expression) == marks


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of tests, in one part of which the conftest.py gives the mark."""
    files = {
        "test_plain.py": "def test_it(): ...",
        "test_live.py": "import pytest\npytestmark = pytest.mark.livekit",
        "archive/conftest.py": "import pytest\nMARKED = pytest.param(1, marks=pytest.mark.livekit)",
        "archive/test_kept.py": "def test_it(): ...",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("livekit", {"test_live.py", "test_kept.py"}),
        ("not livekit", {"test_live.py", "test_kept.py", "test_plain.py"}),
        ("", {"test_live.py", "test_kept.py", "test_plain.py"}),
    ],
)
def test_a_module_is_loaded_if_a_test_in_it_may_be_chosen(root: Path, expression: str, names: set[str]) -> None:
    modules = MarkedModules(expression, root)
    loaded = {path.name for path in root.rglob("test_*.py") if not modules.pytest_ignore_collect(path)}
    assert loaded == names


def test_what_is_no_module_of_these_tests_is_left_to_pytest(root: Path) -> None:
    assert MarkedModules("livekit", root).pytest_ignore_collect(root.parent / "test_other.py") is None
    assert MarkedModules("livekit", root).pytest_ignore_collect(root / "archive") is None


class Marked:
    """As much of pytest's item as is asked: a test of a module with a mark that something else has given it."""

    def __init__(self, module: Path, mark: pytest.MarkDecorator) -> None:
        self.path, self.nodeid, self._mark = module, module.name, mark.mark

    def iter_markers(self) -> list[pytest.Mark]:
        return [self._mark]


@pytest.mark.parametrize(
    ("module", "mark", "refused"),
    [
        ("test_plain.py", pytest.mark.livekit, True),
        ("test_live.py", pytest.mark.livekit, False),
        ("archive/test_kept.py", pytest.mark.livekit, False),
        ("test_plain.py", pytest.mark.asyncio, False),
    ],
)
def test_a_mark_that_would_not_be_seen_is_refused(
    root: Path, module: str, mark: pytest.MarkDecorator, refused: bool
) -> None:
    items: list[Any] = [Marked(root / module, mark)]
    modules = MarkedModules("", root)
    if refused:
        with pytest.raises(pytest.UsageError, match=r"test_plain.py is marked livekit: write that in its module"):
            modules.pytest_collection_modifyitems(items)
    else:
        modules.pytest_collection_modifyitems(items)
