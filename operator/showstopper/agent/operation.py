"""The agent at work: clear up after earlier lives, watch, and lift everything at the end."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from showstopper.agent.at_most_once import AtMostOnce
from showstopper.agent.changes import Changes
from showstopper.agent.containers import Containers
from showstopper.agent.heartbeat import Heartbeat
from showstopper.agent.hits.factory import HitFactory
from showstopper.agent.journal import Journal
from showstopper.agent.network.node import Node
from showstopper.agent.pods import Pods
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.executor.injections import Injections

log = structlog.get_logger()

WORKERS = 8
"""Targets are armed and refreshed side by side; most of it is waiting for the kernel."""


async def operate(
    client: Client, stop: asyncio.Event, *, node_name: str, namespace: str, state: Path, cgroups: Path
) -> None:
    """Be the agent of a node until told to stop.

    Args:
        client: with the agent's own rights.
        stop: set it to end.
        node_name: whose Injections are done.
        namespace: the agent's, where the stop switch is.
        state: a folder of the node that lasts as long as its kernel runs.
        cgroups: where the node's cgroup trees are.
    """
    workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="targets")
    node = await asyncio.to_thread(lambda: Node(Journal(state / "journal")))
    log.info("backends", method=node.able.method, missing=node.able.missing)
    try:
        for place, left in (await asyncio.to_thread(node.sweep)).items():
            log.warning("swept", namespace=place, found=str(left))
        changes = Changes(state)
        for setting in await asyncio.to_thread(changes.sweep):
            log.warning("swept", setting=setting)
        clock = Clock()
        factory = HitFactory(node, Pods(), Containers(cgroups), changes, AtMostOnce(state), clock)
        injections = Injections(
            client, clock, mine={"spec.node": node_name}, stop_switch=namespace, factory=factory, workers=workers
        )
        tasks = [
            asyncio.create_task(injections.run()),
            asyncio.create_task(Heartbeat(state / "alive").beat()),
            asyncio.create_task(stop.wait()),
        ]
        log.info("watching", node=node_name)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for result in ended:
            if isinstance(result, Exception):
                raise result
    finally:
        await asyncio.to_thread(node.close)
        workers.shutdown()
