"""What the documents show: every YAML block is taken by a real API server, and every file that is named is there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from dev.cluster.apiserver import ApiServer
from tests.support.api_server import ROOT

DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"`([\w-]+(?:/[\w-]+)+\.(?:py|md|yaml))`")
SOURCE = ROOT / "operator" / "showstopper"


def blocks() -> Iterator[tuple[str, str]]:
    for path in DOCUMENTS:
        for number, block in enumerate(FENCE.findall(path.read_text()), 1):
            yield f"{path.relative_to(ROOT)}-{number}", block


BLOCKS = dict(blocks())


def test_there_are_some() -> None:
    assert len(BLOCKS) >= 3


@pytest.mark.apiserver
@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_is_applied(server: ApiServer, name: str) -> None:
    """Those that are parts of something, such as a chart's values, name no kind: they are YAML at least."""
    documents = [document for document in yaml.safe_load_all(BLOCKS[name]) if document]
    assert documents
    for document in documents:
        if "kind" in document:
            server.kubectl("apply", "--dry-run=server", "--filename=-", stdin=yaml.safe_dump(document))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_linked_is_there(path: Path) -> None:
    missing = [link for link in LINK.findall(path.read_text()) if not (path.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_that_is_named_exists(path: Path) -> None:
    """A path that begins with none of the repository's folders is one below `operator/showstopper`."""
    names = NAMED.findall(path.read_text())
    assert not [name for name in names if not (ROOT / name).exists() and not (SOURCE / name).exists()]


def test_some_files_are_named() -> None:
    assert len(NAMED.findall((ROOT / "docs" / "architecture.md").read_text())) > 50
