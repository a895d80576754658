"""What host, listener and crowd share as processes: the HTTP server, and leaving the room on SIGTERM."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import sys
from collections.abc import Coroutine
from typing import Any

import structlog
from aiohttp import web

from showstopper import garbage, runtime
from showstopper.errors import SettingsError


def configure_logs() -> None:
    """Log as every process of ours does, and of the SDK errors only."""
    runtime.configure_logs("info")
    # The SDK warns at every step of a reconnection. What that means for a listener is in the spans.
    logging.getLogger("livekit").setLevel(logging.ERROR)


async def serve(app: web.Application, port: int) -> web.AppRunner:
    """Serve on every address of the pod. The caller cleans the runner up."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, None, port).start()
    return runner


async def healthy(_request: web.Request) -> web.Response:
    """Answers `/healthz`: the loop runs."""
    return web.Response(text="ok\n")


def after(request: web.Request) -> int:
    """The number in `?after=N`, after which entries are asked for.

    Raises:
        web.HTTPBadRequest: if it is none.
    """
    text = request.query.get("after", "0")
    if not text.isdecimal() or len(text) > 18:
        raise web.HTTPBadRequest(text=f"after is {text[:40]!r}; it must be the last `next`, a whole number from 0\n")
    return int(text)


async def until_terminated(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` until it ends. SIGTERM and SIGINT cancel it, so that it leaves the room."""
    task = asyncio.ensure_future(work)
    runtime.on_signals(task.cancel)
    garbage.keep_what_is_there()
    try:
        await task
    except asyncio.CancelledError:
        structlog.get_logger().info("terminated")


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a process of the room. A wrong setting ends it with one line and exit code 2.

    Exit functions run in reverse order: this one, registered before the SDK's, ends the process when the SDK has closed
    what it still had.
    """
    atexit.register(_end_before_the_interpreter)
    try:
        asyncio.run(until_terminated(work))
    except SettingsError as error:
        atexit.unregister(_end_before_the_interpreter)
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from error
    except BaseException:
        atexit.unregister(_end_before_the_interpreter)
        raise


def _end_before_the_interpreter() -> None:
    """End the process with exit code 0 while its threads may still call Python.

    The SDK's threads outlive its own exit function (livekit 1.1.13). One that calls Python while the interpreter is
    taken down is unwound by it through Rust frames, and Rust then aborts the process: seen once in some hundred exits.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(os.EX_OK)
