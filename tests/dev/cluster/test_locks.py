"""The locked requirements: hashes for all, nothing of the machine that locked them, and what the project asks for."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dev.cluster import paths

PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[0-9][a-z0-9.+!-]*)( ; .+)? \\")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}( \\)?")
EVERY_EXTRA = ("archive", "audio", "report", "dev")
BASE, AUDIO, DEV = FILES = ("requirements.txt", "requirements-audio.txt", "requirements-dev.txt")


def lines(file: str) -> list[str]:
    return [line.strip() for line in (paths.PROJECT / file).read_text().splitlines()]


def pins(file: str) -> dict[str, str]:
    matches = [PIN.fullmatch(line) for line in lines(file)]
    return {match["name"]: match["version"] for match in matches if match is not None}


def wanted(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for, with these extras."""
    project = tomllib.loads((paths.PROJECT / "pyproject.toml").read_text())["project"]
    optional = [each for extra in extras for each in project["optional-dependencies"][extra]]
    return [Requirement(each) for each in (*project["dependencies"], *optional)]


@pytest.mark.parametrize("file", FILES)
def test_a_line_is_a_pin_a_hash_or_a_comment(file: str) -> None:
    others = [line for line in lines(file) if not (PIN.fullmatch(line) or HASH.fullmatch(line) or line.startswith("#"))]
    assert not others


@pytest.mark.parametrize("file", FILES)
def test_no_address_and_no_path_of_a_machine_is_named(file: str) -> None:
    assert not [line for line in lines(file) if "://" in line or re.search(r"(^|\s)/", line)]


@pytest.mark.parametrize(("file", "extras"), [(BASE, ("archive",)), (AUDIO, ("audio",)), (DEV, EVERY_EXTRA)])
def test_what_is_asked_for_is_locked_in_a_version_that_fits(file: str, extras: tuple[str, ...]) -> None:
    locked = pins(file)
    misfits = [
        str(each)
        for each in wanted(*extras)
        if (version := locked.get(canonicalize_name(each.name))) is None or not each.specifier.contains(version)
    ]
    assert not misfits, "run `make lock`"


@pytest.mark.parametrize("image", [BASE, AUDIO])
def test_what_an_image_has_is_what_is_developed_with(image: str) -> None:
    assert pins(image).items() <= pins(DEV).items()
