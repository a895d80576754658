"""kopf handlers: one per kind, level-based. They parse, and hand over; they write nothing and decide nothing."""

from collections.abc import Callable
from typing import Any, TypeVar

import kopf
import structlog

from showstopper.api.base import API_VERSION, Resource
from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.gate import ReleaseGate
from showstopper.api.room import AudioRoom
from showstopper.api.run import ExperimentRun
from showstopper.controllers.echoes import Echoes
from showstopper.engine.operation import Operation
from showstopper.errors import InvalidResource

log = structlog.get_logger()
R = TypeVar("R", bound=Resource)


def register(registry: kopf.OperatorRegistry, operation: Operation) -> None:
    """Add a handler for every kind of ours to the registry."""
    echoes = Echoes()

    def follow(model: type[R], name: str, seen: Callable[..., None]) -> None:
        @kopf.on.event(API_VERSION, model.plural, id=name, registry=registry)
        async def handler(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002 - kopf's name
            if not echoes.is_echo(type, body) and (found := _parse(model, body)) is not None:
                seen(found, deleted=type == "DELETED")

    follow(AudioRoom, "audio-room", operation.room_seen)
    follow(Experiment, "experiment", operation.experiment_seen)
    follow(GameDay, "game-day", operation.day_seen)
    follow(ReleaseGate, "release-gate", operation.gate_seen)

    @kopf.on.event(API_VERSION, ExperimentRun.plural, id="experiment-run", registry=registry)
    async def experiment_run(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002 - kopf's name
        if echoes.is_echo(type, body) or (type != "DELETED" and operation.carries(body["metadata"])):
            return
        if (run := _parse(ExperimentRun, body)) is not None:
            operation.run_seen(run, deleted=type == "DELETED")


def _parse(model: type[R], body: kopf.Body) -> R | None:
    """The typed object; None, with a log line, for one that an older CRD let through."""
    try:
        return model.parse(dict(body))
    except InvalidResource as error:
        log.warning("invalid_resource", error=str(error))
        return None
