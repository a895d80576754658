"""Interruptible: run a command's coroutine to its end. Ctrl-C stops watching, and nothing else."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import typer

from showstopper.api.run import ExperimentRun
from showstopper.cli.exit_codes import ExitCode, note, problem
from showstopper.cli.kube.run_request import NoOperator, RunRefused
from showstopper.cli.live.follow import Overdue
from showstopper.cluster.kinds import EXPERIMENT_RUN
from showstopper.report.record import Day


class WatchedObject:
    """What is watched, once it is known, so that a message can name it when watching ends early.

    Attributes:
        run: the name of the run.
        day: the name of the game day.
        namespace: of the run or the game day.
        ended: the run itself, or the record of the game day, once it has its verdict.
    """

    def __init__(self) -> None:
        self.run = ""
        self.day = ""
        self.namespace = ""
        self.ended: ExperimentRun | Day | None = None


def run_to_end(
    work: Coroutine[Any, Any, ExitCode], watched: WatchedObject | None = None, timeout: float | None = None
) -> None:
    """Run a coroutine, and exit with its code. Without a verdict that is Inconclusive or an error, never a pass.

    Args:
        work: returns the exit code.
        watched: filled by `work`.
        timeout: in seconds; None: no limit.
    """
    try:
        code = asyncio.run(_within(work, timeout))
    except (RunRefused, Overdue) as error:
        problem(str(error))
        code = ExitCode.INCONCLUSIVE
    except NoOperator as error:
        problem(str(error))
        code = ExitCode.ERROR
    except TimeoutError:
        problem(f"no verdict within {timeout:g} s (--timeout){_what_continues(watched)}")
        code = ExitCode.INCONCLUSIVE
    except KeyboardInterrupt:
        note(f"stopped watching{_what_continues(watched)}")
        code = ExitCode.INTERRUPTED
    raise typer.Exit(code)


async def _within(work: Coroutine[Any, Any, ExitCode], timeout: float | None) -> ExitCode:
    async with asyncio.timeout(timeout):
        return await work


def _what_continues(watched: WatchedObject | None) -> str:
    """What continues in the cluster, and how to stop it, as the end of a sentence."""
    if watched is None:
        return ""
    if not watched.namespace:
        return "; no run was requested"
    if watched.day:
        return f"; the game day goes on; to abort it: showstopper -n {watched.namespace} abort {watched.day}"
    if not watched.run:
        return f"; the requested run still starts: kubectl -n {watched.namespace} get {EXPERIMENT_RUN.resource}"
    return f"; the run continues; to abort it: showstopper -n {watched.namespace} abort {watched.run}"
