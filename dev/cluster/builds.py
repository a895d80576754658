"""The Go programs: built once from their modules, kept in the cache under a hash of everything that made them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from dev.cluster import commands, errors, lock, paths, progress

SOURCES = Path(__file__).parent
"""The modules here are named after the folder that they were in first. The name is part of the key: to change it is
to build Kubernetes again, on every machine."""

KUBERNETES_VERSION = "1.34.4"
HELM_VERSION = "4.0.5"
OLDEST_GO = (1, 26)
NEEDED_BYTES = 9 * 1024**3
"""Modules 2 GB, compiled packages 4 GB, and room to link."""

APPLETS = (
    "coredns",
    "etcd",
    "helm",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
)


@dataclass(frozen=True, slots=True)
class Patch:
    """A change to somebody else's module before it is compiled: a file `added`, and a `line` put behind one of another.

    `folder` is where in the module both are. The line `after` which it goes must be there exactly once.
    """

    module: str
    folder: str
    added: Path
    file: str
    after: str
    line: str


@dataclass(frozen=True, slots=True)
class Program:
    """A Go program of ours: `package` in the module at `module`. `expected` says how long a first build takes."""

    name: str
    module: Path
    package: str
    ldflags: tuple[str, ...] = ()
    applets: tuple[str, ...] = ()
    expected: str = "a moment"
    patch: Patch | None = None


def _set(package: str, **values: str) -> tuple[str, ...]:
    return tuple(f"-X {package}.{name}={value}" for name, value in values.items())


_MAJOR, _MINOR = KUBERNETES_VERSION.split(".")[:2]
_GIT = {"gitVersion": f"v{KUBERNETES_VERSION}", "gitMajor": _MAJOR, "gitMinor": _MINOR}

CLUSTER = Program(
    "cluster",
    SOURCES / "kubernetes",
    ".",
    (  # without these the programs call themselves v0.0.0-master, and clients compare versions
        *_set("k8s.io/component-base/version", **_GIT),
        *_set("k8s.io/client-go/pkg/version", **_GIT),
        *_set(
            "helm.sh/helm/v4/internal/version",
            version=f"v{HELM_VERSION}",
            kubeClientVersionMajor=_MAJOR,
            kubeClientVersionMinor=_MINOR,
        ),
    ),
    APPLETS,
    "about 8 minutes on two cores",
)
PAUSE = Program("pause", SOURCES / "kubernetes", "./pause")
LIVEKIT = Program(
    "livekit-server",
    SOURCES / "livekit",
    "github.com/livekit/livekit-server/cmd/server",
    expected="about 2 minutes on two cores",
)


def ensure(program: Program) -> Path:
    """The program, which is built now if the cache does not have it. Beside it lie its applets as links."""
    go = find_go()
    folder = paths.cache() / "build" / f"{program.name}-{key(program, go_version(go))}"
    binary = folder / program.name
    if binary.exists():
        return binary
    with lock.held(f"build-{program.name}"):  # several test runs may want it at once
        if not binary.exists():
            _require_space()
            _build(program, go, folder)
    return binary


def key(program: Program, go: str) -> str:
    """A hash of all that decides what comes out: sources, module sums, flags and the compiler."""
    digest = hashlib.sha256(f"{go}\n{program.package}\n{program.ldflags}\n{program.applets}\n".encode())
    for path in sorted(program.module.rglob("*")):
        if path.suffix in {".go", ".mod", ".sum"}:
            digest.update(f"{path.relative_to(program.module)}\n".encode() + path.read_bytes())
    if (patch := program.patch) is not None:
        digest.update(f"{patch.module} {patch.folder} {patch.file}\n{patch.after}\n{patch.line}\n".encode())
        digest.update(patch.added.read_bytes())
    return digest.hexdigest()[:12]


def find_go() -> str:
    """The `go` command, on the path or where its own installer puts it. Raises MissingError."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        raise errors.MissingError(f"Go is not installed: get {_dotted(OLDEST_GO)} or newer from https://go.dev/dl/")
    if parse_version(go_version(go)) < OLDEST_GO:
        raise errors.MissingError(
            f"{go} is {go_version(go)}: get {_dotted(OLDEST_GO)} or newer from https://go.dev/dl/"
        )
    return go


def go_version(go: str) -> str:
    """What `go env GOVERSION` says, such as "go1.26.8". Never downloads another toolchain."""
    return commands.run([go, "env", "GOVERSION"], env={"GOTOOLCHAIN": "local"}).strip()


def parse_version(text: str) -> tuple[int, int]:
    """Major and minor version in "go1.26.8". (0, 0) for a version that is none, such as a development build."""
    match = re.match(r"go(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def patched(patch: Patch, text: str) -> str:
    """The file with its new line. Raises ClusterError when the line before it is not there exactly once."""
    before, *rest = text.split(f"{patch.after}\n")
    if len(rest) != 1:
        raise errors.ClusterError(
            f"{patch.module}/{patch.folder}/{patch.file} has the line {patch.after!r} {len(rest)} times, not once:"
            " correct the patch"
        )
    return f"{before}{patch.after}\n{patch.line}\n{rest[0]}"


def _build(program: Program, go: str, folder: Path) -> None:
    environment = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    log = paths.logs() / f"build-{program.name}.log"
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
    unfinished.mkdir(parents=True, exist_ok=True)
    flags = ["-trimpath", "-buildvcs=false", "-ldflags", " ".join(("-s", "-w", *program.ldflags))]
    output = unfinished / program.name
    with progress.step(f"Building {program.name} (first use, {program.expected})") as step:
        step.say("fetching modules")
        if program.patch is not None:
            flags.append(f"-modfile={_patched(program.patch, program.module, go, environment, unfinished)}")
        needed = commands.run([go, "list", "-deps", program.package], cwd=program.module, env=environment)
        packages = len(needed.splitlines())

        def watch() -> None:
            built = len(log.read_text(errors="replace").splitlines())
            step.say(f"compiled {built} of at most {packages} packages")

        build = [go, "build", "-v", *flags, "-o", str(output), program.package]
        commands.run_logged(commands.tied(build), log, cwd=program.module, env=environment, watch=watch)
    shutil.rmtree(unfinished / "module", ignore_errors=True)
    for applet in program.applets:
        (unfinished / applet).symlink_to(program.name)
    unfinished.rename(folder)  # whole or not at all


def _patched(patch: Patch, module: Path, go: str, environment: dict[str, str], folder: Path) -> Path:
    """A go.mod that takes the changed module instead. Raises as `patched`."""
    commands.run([go, "mod", "download", patch.module], cwd=module, env=environment)
    source = commands.run([go, "list", "-m", "-f", "{{.Dir}}", patch.module], cwd=module, env=environment).strip()
    changed = folder / "module"
    shutil.copytree(source, changed, copy_function=shutil.copyfile)
    file = changed / patch.folder / patch.file
    file.write_text(patched(patch, file.read_text()))
    shutil.copyfile(patch.added, file.with_name(patch.added.name))
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(module / name, folder / name)
    commands.run([go, "mod", "edit", f"-replace={patch.module}={changed}", str(folder / "go.mod")], env=environment)
    return folder / "go.mod"


def _require_space() -> None:
    paths.cache().mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(paths.cache()).free
    if free < NEEDED_BYTES:
        raise errors.MissingError(
            f"too little disk space: building Kubernetes needs {NEEDED_BYTES >> 30} GB under {paths.cache()},"
            f" {free / 1024**3:.1f} GB are free; make room, or set SHOWSTOPPER_CACHE to a folder elsewhere"
        )


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(str(part) for part in version)
