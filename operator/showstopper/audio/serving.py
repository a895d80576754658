"""What host and listener share as processes: logs, the HTTP server, and leaving politely on SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine
from typing import Any

import structlog
from aiohttp import web

from showstopper.errors import SettingsError


def configure_logs() -> None:
    """One JSON object a line on standard error, ours from information on, the SDK's from errors on."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.processors.format_exc_info],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    # Every step of its mending is a warning to the SDK; what it means for a listener stands in the spans.
    logging.getLogger("livekit").setLevel(logging.ERROR)


async def serve(app: web.Application, port: int) -> web.AppRunner:
    """Serve on every address of the pod. The caller cleans the runner up."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, None, port).start()
    return runner


async def until_terminated(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends. SIGTERM or SIGINT cancels it, and it may leave the room."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        structlog.get_logger().info("terminated")


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a process of the room. A wrong setting ends it with one line and status 2."""
    try:
        asyncio.run(until_terminated(work))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from error
