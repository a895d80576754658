"""A build is kept under a hash of all that made it, and too old a Go is refused in one line."""

import dataclasses
from pathlib import Path

import pytest

from dev.cluster import builds, errors


@pytest.fixture
def program(tmp_path: Path) -> builds.Program:
    (tmp_path / "main.go").write_text("package main\n")
    (tmp_path / "go.mod").write_text("module x\n")
    (tmp_path / "go.sum").write_text("")
    return builds.Program("thing", tmp_path, ".")


def test_the_key_changes_with_sources_sums_flags_and_compiler(program: builds.Program) -> None:
    keys = {builds.key(program, "go1.26.8"), builds.key(program, "go1.26.9")}
    keys.add(builds.key(dataclasses.replace(program, ldflags=("-X a=b",)), "go1.26.8"))
    (program.module / "go.sum").write_text("x v1 h1:abc\n")
    keys.add(builds.key(program, "go1.26.8"))
    (program.module / "main.go").write_text("package main // changed\n")
    keys.add(builds.key(program, "go1.26.8"))
    assert len(keys) == 5


def test_the_key_ignores_what_is_not_built(program: builds.Program) -> None:
    before = builds.key(program, "go1.26.8")
    (program.module / "README.md").write_text("hello")
    assert builds.key(program, "go1.26.8") == before


def test_the_key_changes_with_a_patch(program: builds.Program) -> None:
    added = program.module.parent / f"{program.module.name}-added.go"
    added.write_text("package x\n")
    patch = builds.Patch("there", "pkg", added, "file.go", "a {", "b()")
    keys = {builds.key(program, "go1.26.8"), builds.key(dataclasses.replace(program, patch=patch), "go1.26.8")}
    added.write_text("package x // changed\n")
    keys.add(builds.key(dataclasses.replace(program, patch=patch), "go1.26.8"))
    other = dataclasses.replace(patch, line="c()")
    keys.add(builds.key(dataclasses.replace(program, patch=other), "go1.26.8"))
    assert len(keys) == 4


def test_a_patch_puts_its_line_behind_another_and_says_when_that_is_not_there_once(tmp_path: Path) -> None:
    patch = builds.Patch("there", "pkg", tmp_path, "file.go", "a {", "b()")
    assert builds.patched(patch, "x\na {\ny\n") == "x\na {\nb()\ny\n"
    for text in ("x\n", "a {\na {\n"):
        with pytest.raises(errors.ClusterError, match=r"there/pkg/file\.go has the line 'a \{' [02] times, not once"):
            builds.patched(patch, text)


@pytest.mark.parametrize(("text", "version"), [("go1.26.8", (1, 26)), ("go1.30", (1, 30)), ("devel +abc", (0, 0))])
def test_versions_of_go(text: str, version: tuple[int, int]) -> None:
    assert builds.parse_version(text) == version


def test_an_old_go_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho go1.19.8\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(errors.MissingError, match=r"go1\.19\.8: get 1\.26 or newer from https://go\.dev/dl/$"):
        builds.find_go()


def test_too_little_space_is_refused_with_how_much_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builds, "NEEDED_BYTES", 1 << 60)
    with pytest.raises(errors.MissingError, match=r"too little disk space.*make room, or set SHOWSTOPPER_CACHE"):
        builds._require_space()


def test_versions_agree_with_the_modules() -> None:
    modules = (builds.CLUSTER.module / "go.mod").read_text()
    assert f"k8s.io/kubernetes v{builds.KUBERNETES_VERSION}" in modules
    assert f"helm.sh/helm/v4 v{builds.HELM_VERSION}" in modules
