"""The JUnit report of a run or a game day that is watched: there from the beginning, and good only with a verdict."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.cli.exit_codes import ExitCode
from showstopper.cli.files import save
from showstopper.cli.interruptible import WatchedObject
from showstopper.report import junit
from showstopper.report.record import Day


async def with_junit(file: Path, name: str, watched: WatchedObject, work: Coroutine[Any, Any, ExitCode]) -> ExitCode:
    """Do the work, and write its result to the file: the run's report, or why it has no verdict.

    The file is written before the work begins. Else one from an earlier job could be taken for this one's, and that it
    cannot be written would be known only after something was broken.

    Raises:
        SettingsError: the file cannot be written.
    """
    try:
        save(file, _without_verdict(name, watched, Reason.RUN_NOT_FINISHED, "showstopper ended before the run did"))
    except BaseException:
        work.close()
        raise
    reason, message = str(Reason.NO_VERDICT), "showstopper stopped watching before there was a verdict"
    try:
        return await work
    except Exception as error:
        reason, message = type(error).__name__, str(error)
        raise
    finally:
        ended = watched.ended
        save(file, _report(ended) if ended else _without_verdict(name, watched, reason, message))


def _report(ended: ExperimentRun | Day) -> str:
    return junit.of_day(ended) if isinstance(ended, Day) else junit.of_run(ended)


def _without_verdict(name: str, watched: WatchedObject, reason: str, message: str) -> str:
    return junit.of_nothing(watched.namespace, watched.run or watched.day or name, reason, message)
