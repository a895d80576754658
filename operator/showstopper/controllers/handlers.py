"""kopf handlers: one per kind, level-based. They parse and hand over, write nothing and decide nothing."""

from collections.abc import Callable
from typing import Any, TypeVar

import kopf

from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.gate import ReleaseGate
from showstopper.api.room import AudioRoom
from showstopper.api.schema.base import API_VERSION, Resource
from showstopper.cluster.parsing import parse_or_log
from showstopper.controllers.echoes import Echoes
from showstopper.engine.operation import Operation

R = TypeVar("R", bound=Resource)


def register(registry: kopf.OperatorRegistry, operation: Operation) -> None:
    """Add a handler for every kind that people write. The engine watches runs itself (engine/runs/watch.py)."""
    echoes = Echoes()

    def follow(model: type[R], name: str, seen: Callable[..., None]) -> None:
        @kopf.on.event(API_VERSION, model.plural, id=name, registry=registry)
        async def handler(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002 - kopf's name
            if not echoes.is_echo(type, body) and (resource := parse_or_log(model, dict(body))) is not None:
                seen(resource, deleted=type == "DELETED")

    follow(AudioRoom, "audio-room", operation.room_seen)
    follow(Experiment, "experiment", operation.experiment_seen)
    follow(GameDay, "game-day", operation.day_seen)
    follow(ReleaseGate, "release-gate", operation.gate_seen)
