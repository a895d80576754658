"""What is missing is named once, with where to get it."""

import shutil
from pathlib import Path

import pytest

from dev.cluster import errors, packages, preflight
from dev.cluster.packages import Need

MISSING = Need("no-such-program", "a-package")


def test_programs_and_paths_are_looked_for() -> None:
    assert packages.missing((Need("sh", "dash"), Need("/bin/sh", "dash"), MISSING, Need("/no/such", "b"))) == [
        MISSING,
        Need("/no/such", "b"),
    ]


def test_a_package_is_named_once() -> None:
    assert packages.names([Need("ctr", "containerd"), MISSING, Need("containerd", "containerd")]) == [
        "a-package",
        "containerd",
    ]


def test_elsewhere_than_on_debian_one_line_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_args, **_kwargs: None)
    with pytest.raises(errors.MissingError) as raised:
        packages.ensure((MISSING,))
    assert "missing: no-such-program;" in str(raised.value)
    assert "a-package" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_users_are_told_about_root_and_about_the_other_ways() -> None:
    preflight.refuse_users(0)
    with pytest.raises(errors.MissingError, match=r"needs root.*sudo.*kind.*SHOWSTOPPER_CONTEXT"):
        preflight.refuse_users(1000)


def test_other_systems_are_told_about_the_other_ways() -> None:
    preflight.refuse_other_systems("linux")
    with pytest.raises(errors.MissingError, match="needs Linux"):
        preflight.refuse_other_systems("darwin")


def test_a_full_disk_is_refused() -> None:
    preflight.refuse_full_disk(preflight.NEEDED_BYTES, Path("/cache"))
    with pytest.raises(errors.MissingError, match=r"needs 3 GB under /cache, 1\.0 GB are free"):
        preflight.refuse_full_disk(1 << 30, Path("/cache"))
