"""`showstopper operator`: the operator's process."""

import asyncio
import gc
import os
import signal
import sys
import uuid
from dataclasses import dataclass

import structlog
from aiohttp import web

from showstopper.api.stop_switch import AGENT_NAMESPACE
from showstopper.cli.processes.logs import configure
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.leadership import Leadership
from showstopper.controllers import health
from showstopper.controllers.events import serve
from showstopper.engine.operation import Operation
from showstopper.engine.rooms import Images
from showstopper.engine.rooms.archive_health import ArchiveWatch
from showstopper.errors import SettingsError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's settings, all from the environment (the chart sets them)."""

    namespace: str
    agents: str
    pod: str
    identity: str
    audio_image: str
    audio_pull_policy: str
    archive_url: str
    port: int
    log_level: str

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read them.

        Raises:
            SettingsError: naming the variable and what to set it to.
        """
        image = os.environ.get("SHOWSTOPPER_AUDIO_IMAGE", "")
        if not image:
            raise SettingsError("SHOWSTOPPER_AUDIO_IMAGE is not set: it names the image of hosts and listeners")
        port = os.environ.get("SHOWSTOPPER_PORT", "8080")
        if not port.isdigit():
            raise SettingsError(f"SHOWSTOPPER_PORT is {port!r}: set it to a port number, like 8080")
        pod = os.environ.get("POD_NAME") or f"local-{os.getpid()}"
        return cls(
            namespace=os.environ.get("POD_NAMESPACE", "showstopper-system"),
            agents=os.environ.get("SHOWSTOPPER_AGENT_NAMESPACE", AGENT_NAMESPACE),
            pod=pod,
            identity=os.environ.get("POD_UID") or f"{pod}-{uuid.uuid4()}",
            audio_image=image,
            audio_pull_policy=os.environ.get("SHOWSTOPPER_AUDIO_PULL_POLICY", "IfNotPresent"),
            archive_url=os.environ.get("SHOWSTOPPER_ARCHIVE_URL", ""),
            port=int(port),
            log_level=os.environ.get("SHOWSTOPPER_LOG_LEVEL", "info").upper(),
        )


def command() -> None:
    """Run the operator until SIGTERM. Ends with 1 when it loses leadership, so that it starts anew."""
    try:
        settings = Settings.from_environment()
        configure(settings.log_level)
        sys.exit(asyncio.run(_operate(settings)))
    except SettingsError as error:
        sys.exit(f"showstopper operator: {error}")


async def _operate(settings: Settings) -> int:
    """Lead, load, then carry on until told to stop. Everything of ours is a task that was started before kopf."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    clock = Clock()
    async with await Client.connect() as client:
        images = Images(audio=settings.audio_image, pull_policy=settings.audio_pull_policy)
        archive = ArchiveWatch(settings.archive_url)
        operation = Operation(
            client, clock, images=images, instance=settings.pod, agents=settings.agents, archive=archive
        )
        pulse = health.Pulse()
        leadership = Leadership(client, clock, namespace=settings.namespace, identity=settings.identity)
        leading = asyncio.Event()
        runner = web.AppRunner(health.application(operation, pulse, leading.is_set), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, port=settings.port).start()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        background = [loop.create_task(pulse.beat()), loop.create_task(archive.run())]
        try:
            if not await _acquire(leadership, stop):
                return 0
            leading.set()
            holding = loop.create_task(leadership.hold())
            holding.add_done_callback(lambda _: stop.set())
            running = loop.create_task(operation.run())
            running.add_done_callback(lambda _: stop.set())
            await operation.load()
            # What is there now stays: without it a full collection stops everything for 25 ms, at any moment of a run.
            gc.collect()
            gc.freeze()
            await serve(operation, stop, identity=settings.pod, kubeconfig=bool(os.environ.get("KUBECONFIG")))
            lost = holding.done() or running.done()
            if running.done() and not running.cancelled() and running.exception() is not None:
                log.error("operation_broke", exc_info=running.exception())
            if not lost:
                holding.cancel()
                running.cancel()
                await leadership.release()
            return int(lost)
        finally:
            for task in background:
                task.cancel()
            await runner.cleanup()


async def _acquire(leadership: Leadership, stop: asyncio.Event) -> bool:
    """Wait for leadership; False when told to stop first."""
    acquiring = asyncio.ensure_future(leadership.acquire())
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({acquiring, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not acquiring.done():
        acquiring.cancel()
        return False
    acquiring.result()
    return True
