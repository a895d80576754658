"""Executors that are played: they answer Injections as agents, hosts and doors do. The operator needs no others."""

import asyncio
from collections.abc import Callable
from typing import Any, Self

import pytest

from showstopper.api.faults.base import Aim
from showstopper.api.faults.process import ProcessFigures
from showstopper.api.faults.stage import DoorFigures, HostFigures
from showstopper.api.injection import InjectedTarget, Injection, InjectionTarget, PacketCounts, TargetState
from showstopper.api.run import ExperimentRun
from showstopper.api.schema.base import dump
from showstopper.clock import Clock, to_timestamp
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import INJECTION, LEASE, POD
from showstopper.cluster.watch import watch
from showstopper.errors import Conflict, NotFound
from showstopper.executor.status import EndReason, InjectionState, status

LOSS = {
    "name": "loss",
    "target": {"component": "relay", "max": 2},
    "duration": "1s",
    "packetLoss": {"percent": "5%", "direction": "Ingress"},
}


class Agent:
    """Answers Injections as their nodes' agents and hosts do, without rules in any kernel, and without a voice.

    Args:
        ending: how all of it ends, as soon as it has begun.
        at_lift: what it says when its end is asked for.
        idle: a pod without packets.
        nodes: those that have an agent. None for all.
    """

    def __init__(
        self,
        client: Client,
        place: str,
        *,
        matched: int = 400,
        ended: int = 2,
        ending: EndReason | None = None,
        at_lift: EndReason = EndReason.LIFTED,
        idle: str = "",
        nodes: frozenset[str] | None = None,
    ) -> None:
        self._client, self._place, self._ended = client, place, ended
        self._matched, self._ending, self._at_lift, self._idle = matched, ending, at_lift, idle
        self.seen: set[str] = set()
        self._gone: set[str] = set()
        self._armed: dict[str, str] = {}
        self._nodes = nodes
        self.asked: list[Injection] = []
        self.instead: dict[str, tuple[TargetState, str]] = {}
        """What comes of a pod that is not armed, and the agent's words for it."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _work(self) -> None:
        async for event, body in watch(self._client, INJECTION, self._place):
            if not event.exists:
                continue
            injection = Injection.parse(body)
            if self._nodes is not None and injection.spec.node not in self._nodes:
                continue
            self.seen.add(injection.metadata.uid)
            if injection.spec.lift:
                await self._say(injection, self._at_lift)
            elif injection.status.observed_generation < 0:
                self.asked.append(injection)
                await self._say(injection, None)
                if self._ending is not None:
                    await self._say(injection, self._ending)

    async def lose(self, pod: str) -> None:
        """A pod goes, and its node's agent sees it."""
        self._gone.add((await self._client.get(POD, self._place, pod))["metadata"]["uid"])
        await self._client.delete(POD, self._place, pod, grace_seconds=0)
        for body in await self._client.list(INJECTION, self._place):
            await self._say(Injection.parse(body), None)

    async def _say(self, injection: Injection, ending: EndReason | None) -> None:
        now = to_timestamp(Clock().now())
        of_kind = self._evidence(injection)
        targets = [self._target(target, ending, now, of_kind(target, now)) for target in injection.spec.targets]
        state = InjectionState(ending=ending, why="", backend="nftables")
        said = status(
            injection.spec,
            targets,
            state,
            generation=injection.metadata.generation,
            now=now,
            before=injection.status,
        )
        operations = [{"op": "add", "path": "/status", "value": dump(said)}]
        try:
            await self._client.patch(INJECTION, *injection.key, operations, subresource="status")
        except (NotFound, Conflict):
            return

    def _target(
        self, target: InjectionTarget, ending: EndReason | None, now: str, evidence: dict[str, Any]
    ) -> InjectedTarget:
        if target.pod in self.instead:
            state, message = self.instead[target.pod]
            return InjectedTarget(uid=target.uid, pod=target.pod, state=state, message=message)
        return InjectedTarget(
            uid=target.uid,
            pod=target.pod,
            state=self._state(target, ending),
            armed_at=self._armed.setdefault(target.uid, now),
            lifted_at=None if ending is None else now,
            **evidence,
        )

    def _state(self, target: InjectionTarget, ending: EndReason | None) -> TargetState:
        if target.uid in self._gone:
            return TargetState.GONE
        return TargetState.ARMED if ending is None else TargetState.LIFTED

    def _evidence(self, injection: Injection) -> Callable[[InjectionTarget, str], dict[str, Any]]:
        if injection.spec.pod is not None:
            return self._answers if injection.spec.spec.aims_at is Aim.DOOR else self._sound
        return self._processes if injection.spec.container_kill is not None else self._packets

    def _sound(self, target: InjectionTarget, now: str) -> dict[str, Any]:
        spent = 0 if target.pod == self._idle else 60_000
        return {"host": HostFigures(at=now, milliseconds=spent), "proven": spent > 0}

    def _answers(self, target: InjectionTarget, now: str) -> dict[str, Any]:
        answered = 0 if target.pod == self._idle else 3
        return {"door": DoorFigures(at=now, asked=answered, answered=answered), "proven": answered > 0}

    def _packets(self, target: InjectionTarget, now: str) -> dict[str, Any]:
        matched = 0 if target.pod == self._idle else self._matched
        counts = PacketCounts(at=now, matched=matched, affected=matched // 20)
        return {"first": counts if matched else None, "last": counts, "proven": counts.affected > 0}

    def _processes(self, _: InjectionTarget, now: str) -> dict[str, Any]:
        figures = ProcessFigures(at=now, processes=2, ended=self._ended)
        return {"processes": figures, "proven": self._ended == figures.processes}


async def nothing_left(client: Client, run: ExperimentRun) -> bool:
    with pytest.raises(NotFound):
        await client.get(LEASE, *run.key)
    return not await client.list(INJECTION, run.metadata.namespace)
