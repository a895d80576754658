"""Executing: host and door watch the Injections of their own pod and the Leases of their runs, and carry them out."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

from showstopper.audio.settings import Identity
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.supervision import for_ever
from showstopper.executor.hit import Hits
from showstopper.executor.injections import Injections

P = ParamSpec("P")
T = TypeVar("T")

MakeHits = Callable[[Clock], Hits]
"""Makes what carries them out, with a clock for the times of their records."""

LAST_SECONDS = 1.0
"""How long the last words may take when a host ends: its pod has two seconds, and has to leave the room in them."""


class OnTheLoop(Executor):
    """Works at once, on the loop of whoever asks: nothing that a pod does to itself waits for anything."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Call it. The future is done when this returns."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  # whoever awaits the future gets it
            future.set_exception(error)
        return future


async def execute(identity: Identity, make_hits: MakeHits) -> None:
    """Carry out the Injections of this pod until cancelled. An API server that is away is waited for."""

    async def serve() -> None:
        async with await Client.connect() as client:
            await injections(client, identity, make_hits).run()

    await for_ever("carrying out Injections", serve)


def injections(client: Client, identity: Identity, make_hits: MakeHits) -> Injections:
    """Those of this pod."""
    clock = Clock()
    return Injections(
        client,
        clock,
        mine={"spec.pod": identity.pod},
        namespace=identity.namespace,
        factory=make_hits(clock),
        workers=OnTheLoop(),
        last_seconds=LAST_SECONDS,
    )
