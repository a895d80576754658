"""What the documents name is there: headings, targets of make, commands with their options, values of the charts."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from showstopper.cli.main import CLUSTER_OPTIONS, app, cluster_options_first
from tests.support.api_server import ROOT

DOCUMENTS = sorted(
    path
    for folder in ("", "docs", "dev", "charts", "examples", "images")
    for path in ((ROOT / folder).rglob("*.md") if folder else ROOT.glob("*.md"))
)
NOTES = sorted((ROOT / "charts").rglob("NOTES.txt"))
EXAMPLES = sorted((ROOT / "examples").rglob("*.yaml"))
# The changelog also names what is no more.
TYPED = [*(path for path in DOCUMENTS if path.name != "CHANGELOG.md"), *NOTES, *EXAMPLES]
CODE = re.compile(r"^ *```.*?^ *```|(?<!`)`[^`\n]+`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)([^)#]*)#([^)]+)\)")
MAKE = re.compile(r"(?:^|[`$(;&|=] ?|[A-Z]=\S+ )make ((?:-s )?[a-z][a-z0-9 -]*)", re.MULTILINE)
COMMAND = re.compile(r"(?:^|[`;&|(]|: |#  |[-] ) *(?:kubectl )?showstopper +([^`\n]*)", re.MULTILINE)
SET = re.compile(r"--set(?:-string)? +(\S+)")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code(path: Path) -> Iterator[str]:
    """Blocks and words of code. A file that is no document is code as a whole."""
    text = path.read_text()
    return iter(CODE.findall(text)) if path.suffix == ".md" else iter([text])


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@cache
def anchors(path: Path) -> frozenset[str]:
    return frozenset(slug(heading) for heading in re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_a_heading_that_is_linked_is_there(path: Path) -> None:
    links = LINK.findall(path.read_text())
    assert not [
        (file, anchor)
        for file, anchor in links
        if anchor not in anchors((path.parent / file).resolve() if file else path)
    ]


def test_every_document_is_found_from_the_first_page() -> None:
    known, seen = {ROOT / "README.md"}, set[Path]()
    while known - seen:
        page = (known - seen).pop()
        seen.add(page)
        links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
        known |= {target for link in links if (target := (page.parent / link).resolve()).suffix == ".md"}
    assert not {named(path) for path in (ROOT / "docs").rglob("*.md")} - {named(path) for path in seen}


@cache
def targets() -> frozenset[str]:
    files = (ROOT / "Makefile", ROOT / "dev" / "cluster" / "cluster.mk")
    return frozenset(
        name for file in files for name in re.findall(r"^([a-z][a-z0-9-]*):", file.read_text(), re.MULTILINE)
    )


@pytest.mark.parametrize("path", TYPED, ids=named)
def test_a_target_of_make_that_is_named_exists(path: Path) -> None:
    words = {word for text in code(path) for names in MAKE.findall(text) for word in names.split()} - {"-s"}
    assert not words - targets()


def commands(path: Path) -> Iterator[list[str]]:
    """The words behind `showstopper`, where these are a command to be typed."""
    for text in code(path):
        for line in COMMAND.findall(text):
            words = re.split(r" +#|[|;&>)]|\.\.\.|\{\{|,| {3,}", line)[0]
            if words.strip():
                yield shlex.split(words.replace("'", ""))


def problem(words: list[str]) -> str:
    """What is wrong with a command. Empty: nothing. What is only named, without its arguments, is right."""
    group: Any = typer.main.get_command(app)
    rest = cluster_options_first(words)
    while rest and rest[0] in CLUSTER_OPTIONS:
        del rest[:2]
    if not rest or rest[0] in {"--help", *(option for parameter in group.params for option in parameter.opts)}:
        return ""
    command = group.get_command(None, name := rest.pop(0))
    if hasattr(command, "commands") and rest:
        command = command.commands.get(name := rest.pop(0))
    if command is None:
        return f"there is no command {name}"
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    options = {word.partition("=")[0] for word in rest if word.startswith("-")}
    unknown = options - known - {"--help"}
    return f"{name} has no option {', '.join(unknown)}" if unknown else ""


@pytest.mark.parametrize("path", TYPED, ids=named)
def test_a_command_that_is_named_exists_with_its_options(path: Path) -> None:
    assert not [(words, wrong) for words in commands(path) if (wrong := problem(words))]


def test_some_commands_are_named() -> None:
    assert len([words for path in TYPED for words in commands(path)]) > 40
    assert problem(["run", "x", "--sideways"])
    assert problem(["frobnicate"])
    assert not problem(["-n", "show", "run", "x", "--junit", "y"])


@cache
def values() -> frozenset[str]:
    """The paths of all values of both charts."""

    def paths(value: object, above: str) -> Iterator[str]:
        yield above
        for key, inner in value.items() if isinstance(value, dict) else ():
            yield from paths(inner, f"{above}.{key}" if above else str(key))

    charts = (ROOT / "charts" / chart / "values.yaml" for chart in ("showstopper", "audio-room"))
    return frozenset(path for chart in charts for path in paths(yaml.safe_load(chart.read_text()), ""))


@pytest.mark.parametrize("path", TYPED, ids=named)
def test_a_value_that_is_set_is_one_of_a_charts(path: Path) -> None:
    pairs = [pair for text in code(path) for words in SET.findall(text) for pair in words.strip("`'\"").split(",")]
    keys = [re.sub(r"(\.limits|\.requests)\..*", r"\1", pair.partition("=")[0]) for pair in pairs]
    assert not set(keys) - values()


VARIABLE = re.compile(r"\bSHOWSTOPPER_[A-Z_]+\b")


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_a_variable_that_is_named_is_read_somewhere(path: Path) -> None:
    sources = [*(ROOT / "operator").rglob("*.py"), *(ROOT / "dev").rglob("*.py"), *(ROOT / "dev").rglob("*.sh")]
    read = {name for source in sources for name in VARIABLE.findall(source.read_text())}
    assert not set(VARIABLE.findall(path.read_text())) - read
