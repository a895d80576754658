"""Which modules a run loads that asks for marks."""

from pathlib import Path

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
