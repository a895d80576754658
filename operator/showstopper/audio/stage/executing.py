"""Executing: the host watches the Injections of its own pod and the Leases of their runs, and carries them out."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

from showstopper.audio.onstage import OnStage
from showstopper.audio.settings import Identity
from showstopper.audio.speaker import Voice
from showstopper.audio.stage.hits import Host, HostHits
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.supervision import for_ever
from showstopper.executor.injections import Injections

P = ParamSpec("P")
T = TypeVar("T")

LAST_SECONDS = 1.0
"""How long the last words may take when the host ends: its pod has two seconds, and has to leave the room in them."""


class OnTheLoop(Executor):
    """Works at once, on the loop of whoever asks: nothing that a host does to itself waits for anything."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call it. The future is done when this returns."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  # whoever awaits the future gets it
            future.set_exception(error)
        return future


async def execute(identity: Identity, voice: Voice, on_stage: OnStage) -> None:
    """Carry out the Injections of this host until cancelled. An API server that is away is waited for."""
    host = Host(voice, on_stage)

    async def serve() -> None:
        async with await Client.connect() as client:
            await injections(client, identity, host).run()

    await for_ever("carrying out Injections", serve)


def injections(client: Client, identity: Identity, host: Host) -> Injections:
    """Those of this host's pod."""
    clock = Clock()
    return Injections(
        client,
        clock,
        mine={"spec.pod": identity.pod},
        namespace=identity.namespace,
        means=HostHits(host, identity.uid, clock),
        workers=OnTheLoop(),
        last_seconds=LAST_SECONDS,
    )
