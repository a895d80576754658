"""kopf as an event source: its settings, its login, and how it is started and stopped."""

import asyncio
from typing import Any

import kopf

from showstopper.api.schema.base import GROUP
from showstopper.controllers.handlers import register
from showstopper.engine.operation import Operation


async def serve(operation: Operation, stop: asyncio.Event, *, identity: str, kubeconfig: bool = False) -> None:
    """Hand every event of our kinds to the operation until `stop` is set.

    kopf cancels tasks that were started on the loop after it. Start your own before.

    Args:
        operation: takes the events.
        stop: ends it.
        identity: of this operator, for kopf.
        kubeconfig: whether to log in with $KUBECONFIG.
    """
    registry = kopf.OperatorRegistry()
    register(registry, operation)

    @kopf.on.login(registry=registry)
    async def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        if not kubeconfig and (inside := kopf.login_with_service_account(**kwargs)) is not None:
            return inside
        return kopf.login_with_kubeconfig(**kwargs)

    await kopf.operator(
        registry=registry,
        settings=_settings(),
        clusterwide=True,
        standalone=True,
        stop_flag=stop,
        # Else kopf asks for the name of its user, and the user of a pod is a mere number. Its type is a NewType of str.
        identity=identity,  # type: ignore[arg-type]
    )


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False  # events are ours (cluster/events.py): kopf's are not aggregated
    settings.scanning.disabled = True  # our CRDs are there before the operator, and nothing else is watched
    settings.persistence.finalizer = f"{GROUP}/finalizer"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP, v1=False)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=GROUP, v1=False)
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.process.ultimate_exiting_timeout = None
    return settings
