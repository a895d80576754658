"""JUnit beside a run that is watched: the file is there from the beginning, and good only by a verdict."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from showstopper.api.reasons import Reason
from showstopper.cli.exit_codes import ExitCode
from showstopper.cli.files import save
from showstopper.cli.interruptible import Watched
from showstopper.report import junit


async def told(file: Path, name: str, watched: Watched, work: Coroutine[Any, Any, ExitCode]) -> ExitCode:
    """Do the work, and have what came of it in the file. Of a run without a verdict it says why there is none.

    The file is written first of all: one from an earlier job is never taken for this one's, and one that cannot be
    written is known before anything is broken.

    Raises:
        SettingsError: the file cannot be written.
    """
    try:
        save(file, _nothing(name, watched, Reason.RUN_NOT_FINISHED, "showstopper was stopped before the run was over"))
    except BaseException:
        work.close()
        raise
    reason, message = str(Reason.NO_VERDICT), "no verdict came while somebody was watching"
    try:
        return await work
    except Exception as error:
        reason, message = type(error).__name__, str(error)
        raise
    finally:
        ended = watched.ended
        save(file, junit.of_run(ended) if ended else _nothing(name, watched, reason, message))


def _nothing(name: str, watched: Watched, reason: str, message: str) -> str:
    return junit.of_nothing(watched.namespace, watched.run or name, reason, message)
