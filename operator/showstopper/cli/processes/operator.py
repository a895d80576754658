"""`showstopper operator`: the operator's process."""

import asyncio
import os
import uuid
from dataclasses import dataclass

import structlog
from aiohttp import web

from showstopper import garbage, runtime
from showstopper.api.stop_switch import AGENT_NAMESPACE
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.leadership import Leadership
from showstopper.controllers import health
from showstopper.controllers.events import serve
from showstopper.engine.operation import Operation
from showstopper.engine.rooms import Images
from showstopper.engine.rooms.archive_health import ArchiveWatch

log = structlog.get_logger()

END_SECONDS = 2.0
"""Tasks end within milliseconds when they are cancelled, unless they wait for a last answer of the API server."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's settings, from environment variables that the chart sets."""

    namespace: str
    agents: str
    pod: str
    identity: str
    images: Images
    archive_url: str
    port: int

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read them.

        Raises:
            SettingsError: naming the variable and what to set it to.
        """
        pod = os.environ.get("POD_NAME") or f"local-{os.getpid()}"
        return cls(
            namespace=os.environ.get("POD_NAMESPACE", "showstopper-system"),
            agents=os.environ.get("SHOWSTOPPER_AGENT_NAMESPACE", AGENT_NAMESPACE),
            pod=pod,
            identity=os.environ.get("POD_UID") or f"{pod}-{uuid.uuid4()}",
            images=_images(),
            archive_url=os.environ.get("SHOWSTOPPER_ARCHIVE_URL", ""),
            port=runtime.port(),
        )


def _images() -> Images:
    """The image of hosts, listeners and the crowd, and the Secrets to pull it with, by name, separated by commas."""
    secrets = os.environ.get("SHOWSTOPPER_AUDIO_PULL_SECRETS", "").split(",")
    return Images(
        audio=runtime.required("SHOWSTOPPER_AUDIO_IMAGE", "it names the image of hosts and listeners"),
        pull_policy=os.environ.get("SHOWSTOPPER_AUDIO_PULL_POLICY", "IfNotPresent"),
        pull_secrets=tuple(name for secret in secrets if (name := secret.strip())),
    )


def command() -> None:
    """Run the operator. Its settings are environment variables. Exits with 1 when it loses leadership."""
    runtime.run("operator", Settings.from_environment, _operate)


async def _operate(settings: Settings, stop: asyncio.Event) -> int:
    """Acquire leadership, load, then work until stopped. All our own tasks are started before kopf."""
    loop = asyncio.get_running_loop()
    clock = Clock()
    async with await Client.connect() as client:
        archive = ArchiveWatch(settings.archive_url)
        operation = Operation(
            client, clock, images=settings.images, instance=settings.pod, agents=settings.agents, archive=archive
        )
        pulse = health.LoopDelay()
        leadership = Leadership(client, clock.steady(), namespace=settings.namespace, identity=settings.identity)
        leading = asyncio.Event()
        runner = web.AppRunner(health.application(operation, pulse, leading.is_set), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, port=settings.port).start()
        background = [loop.create_task(pulse.beat()), loop.create_task(archive.run())]
        try:
            if not await _acquire(leadership, stop):
                return 0
            leading.set()
            holding = loop.create_task(leadership.hold())
            holding.add_done_callback(exit_if_lost)
            running = loop.create_task(operation.run())
            running.add_done_callback(lambda _: stop.set())
            await operation.load()
            garbage.keep_what_is_there()  # also the objects that were read
            await serve(operation, stop, identity=settings.pod, kubeconfig=bool(os.environ.get("KUBECONFIG")))
            broke = running.done()
            if broke and not running.cancelled() and running.exception() is not None:
                log.error("operation_broke", exc_info=running.exception())
            await _end_all_else()
            if not broke:
                await leadership.release()
            return int(broke)
        finally:
            for task in background:
                task.cancel()
            await runner.cleanup()


def exit_if_lost(holding: asyncio.Task[None]) -> None:
    """End the process at once when leadership is lost, as client-go's leader election has it.

    Within a second another operator may lead. An orderly end takes longer: kopf closes its watches, and meanwhile every
    run would go on and write its status.
    """
    if holding.cancelled():
        return  # the process ends in order, and gives the Lease back
    if (failure := holding.exception()) is not None:
        log.error("leadership_broke", exc_info=failure)
    os._exit(1)


async def _end_all_else() -> None:
    """End every other task: who takes the Lease next is to be the only one that carries runs and writes statuses."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.wait(others, timeout=END_SECONDS)


async def _acquire(leadership: Leadership, stop: asyncio.Event) -> bool:
    """Wait for leadership. False: the process was stopped first."""
    acquiring = asyncio.ensure_future(leadership.acquire())
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({acquiring, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not acquiring.done():
        acquiring.cancel()
        return False
    acquiring.result()
    return True
