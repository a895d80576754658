"""Watching: run a command's coroutine to its end, and stop watching (and nothing else) at Ctrl-C."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import typer

from showstopper.api.run import ExperimentRun
from showstopper.cli.exit_codes import ExitCode, note, problem
from showstopper.cli.kube.run_request import NoOperator, Refused
from showstopper.cli.live.follow import Overdue


class Watched:
    """The name of what goes on in the cluster, once it is known: for the person who stops watching.

    `ended` is the run itself, once it has its verdict.
    """

    def __init__(self) -> None:
        self.run = ""
        self.namespace = ""
        self.ended: ExperimentRun | None = None


def to_the_end(
    work: Coroutine[Any, Any, ExitCode], watched: Watched | None = None, timeout: float | None = None
) -> None:
    """Run it, and leave with its ending. What is known of nobody's verdict is Inconclusive, never a pass."""
    try:
        ending = asyncio.run(_within(work, timeout))
    except (Refused, Overdue) as error:
        problem(str(error))
        ending = ExitCode.INCONCLUSIVE
    except NoOperator as error:
        problem(str(error))
        ending = ExitCode.ERROR
    except TimeoutError:
        problem(f"no verdict within {timeout:g} s (--timeout); {_goes_on(watched)}")
        ending = ExitCode.INCONCLUSIVE
    except KeyboardInterrupt:
        note(f"stopped watching; {_goes_on(watched)}")
        ending = ExitCode.INTERRUPTED
    raise typer.Exit(ending)


async def _within(work: Coroutine[Any, Any, ExitCode], timeout: float | None) -> ExitCode:
    async with asyncio.timeout(timeout):
        return await work


def _goes_on(watched: Watched | None) -> str:
    """What still goes on, and how to stop that."""
    if watched is None or not watched.namespace:
        return "nothing was asked for"
    if not watched.run:
        return f"the run that was asked for still comes: kubectl -n {watched.namespace} get experimentruns"
    patch = """-p '{"spec":{"abort":true}}'"""
    return (
        f"the run goes on; abort it: kubectl -n {watched.namespace} patch experimentrun {watched.run} "
        f"--type=merge {patch}"
    )
