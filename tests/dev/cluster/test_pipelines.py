"""The pipelines among the examples: they are YAML, and every command in them is one of ours, with its options."""

import re

import pytest
import yaml
from typer.testing import CliRunner

from dev.cluster import paths
from showstopper.cli.main import COMMANDS, app

FOLDER = paths.PROJECT / "examples" / "gitops"
PIP = "pip install"
CALL = re.compile(r"showstopper (--kubeconfig|-n|run|gate|report)\b[^|>\n]*")


def calls() -> list[tuple[str, str]]:
    file_calls = []
    for path in sorted(FOLDER.rglob("*.yaml")):
        text = path.read_text()
        assert list(yaml.safe_load_all(text))
        file_calls += [(str(path.relative_to(FOLDER)), match[0].strip()) for match in CALL.finditer(text)]
    return file_calls


def test_there_are_some() -> None:
    assert {name.partition("/")[0] for name, _ in calls()} >= {"github-actions", "gitlab-ci"}


def test_they_install_showstopper_and_not_the_repository_that_they_are_copied_into() -> None:
    installs = [
        line.strip() for path in FOLDER.rglob("*.yaml") for line in path.read_text().splitlines() if PIP in line
    ]
    assert len(installs) == 3
    assert all(re.search(r'pip install "showstopper(\[report\])? @ [^"]+"$', line) for line in installs), installs


@pytest.mark.parametrize(("name", "call"), calls())
def test_a_command_is_ours_and_has_these_options(name: str, call: str) -> None:
    words = [word for word in call.replace('"', "").split()[1:] if not word.startswith(("$", "kubeconfig"))]
    command = next(word for word in words if word in COMMANDS)
    wide = {"COLUMNS": "200", "TERM": "dumb"}
    told = [CliRunner().invoke(app, [*group, "--help"], env=wide).stdout for group in ([], [command])]
    unknown = [word for word in words if word.startswith("-") and not any(word in text for text in told)]
    assert not unknown, f"{name}: {call}"
