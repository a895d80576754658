"""Run programs so that no failure goes unseen."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dev.cluster import errors

POLL_SECONDS = 0.2


def tied(command: Sequence[str]) -> list[str]:
    """The command, killed by the kernel when the thread that started it ends: none works on for a dead supervisor."""
    return ["setpriv", "--pdeathsig=KILL", "--", *command]


def isolated(command: Sequence[str]) -> list[str]:
    """The command with mounts and processes of its own, which all go when it ends, however it ends. Needs root."""
    own = ["--mount", "--propagation=private", "--mount-proc", "--pid", "--fork", "--kill-child"]
    return ["unshare", *own, *command]


def run(
    command: Sequence[str],
    *,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """What the program wrote to its standard output. It dies with its caller. Raises CommandError with what it said."""
    done = subprocess.run(
        tied(command),
        check=False,
        input=stdin,
        env=_environment(env),
        cwd=cwd,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        raise errors.CommandError(command, done.returncode, done.stderr or done.stdout)
    return done.stdout


def succeeds(command: Sequence[str], *, env: Mapping[str, str] | None = None) -> bool:
    """Whether the program ends with code 0. For questions, whose "no" is an answer and not a failure."""
    done = subprocess.run(tied(command), env=_environment(env), check=False, capture_output=True)
    return done.returncode == 0


def run_logged(
    command: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    watch: Callable[[], None] = lambda: None,
) -> None:
    """Run a long program with its output in a log file. Calls `watch` a few times a second meanwhile.

    It lives on without its caller (a package manager must not be cut short), unless the command is `tied`.
    Raises CommandError with the end of the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        process = subprocess.Popen(
            list(command),
            env=_environment(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while (code := _wait(process)) is None:
                watch()
        except BaseException:  # the program must not outlive an interrupted supervisor
            process.kill()
            process.wait()
            raise
    if code != 0:
        raise errors.CommandError(command, code, f"the end of {log}:\n{errors.tail(log)}")


def _wait(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return None


def _environment(extra: Mapping[str, str] | None) -> dict[str, str] | None:
    return None if extra is None else {**os.environ, **extra}
