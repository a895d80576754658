"""Runtime: what the processes of a cluster share: settings from the environment, JSON logs, and an orderly end."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

from showstopper import garbage
from showstopper.errors import SettingsError, ShowstopperError

Settings = TypeVar("Settings")


def run(
    process: str,
    read_settings: Callable[[], Settings],
    work: Callable[[Settings, asyncio.Event], Coroutine[Any, Any, int | None]],
) -> None:
    """Run a process until its work is done, then exit.

    Args:
        process: its name, as in `showstopper NAME`.
        read_settings: reads the environment. What is wrong there is one line on stderr.
        work: given the settings and an event that SIGTERM and SIGINT set. Returns the exit code (None: 0).
    """
    try:
        settings = read_settings()
        configure_logs(os.environ.get("SHOWSTOPPER_LOG_LEVEL", "info"))
        sys.exit(asyncio.run(_until_stopped(settings, work)))
    except ShowstopperError as error:
        sys.exit(f"showstopper {process}: {error}")


async def _until_stopped(
    settings: Settings, work: Callable[[Settings, asyncio.Event], Coroutine[Any, Any, int | None]]
) -> int | None:
    stop = asyncio.Event()
    on_signals(stop.set)
    garbage.keep_what_is_there()
    return await work(settings, stop)


def on_signals(stop: Callable[[], object]) -> None:
    """Call this on SIGTERM and SIGINT, in the running loop."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


def required(name: str, purpose: str) -> str:
    """The value of an environment variable.

    Raises:
        SettingsError: it is not set. `purpose` says what to set it to.
    """
    value = os.environ.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set: {purpose}")
    return value


def port() -> int:
    """The port to serve on, from SHOWSTOPPER_PORT.

    Raises:
        SettingsError: it is not a number.
    """
    text = os.environ.get("SHOWSTOPPER_PORT", "8080")
    if not text.isdigit():
        raise SettingsError(f"SHOWSTOPPER_PORT is {text!r}: set it to a port number, like 8080")
    return int(text)


def configure_logs(level: str) -> None:
    """Write one JSON object a line to standard error, for our own logs and those of libraries (from warning on).

    Raises:
        SettingsError: there is no such level.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise SettingsError(f"SHOWSTOPPER_LOG_LEVEL is {level!r}: set it to debug, info, warning or error")
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
