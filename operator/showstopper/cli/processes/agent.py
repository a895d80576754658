"""`showstopper agent`: the agent of one node."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from showstopper.agent.kernel import cgroups
from showstopper.agent.operation import operate
from showstopper.api.stop_switch import AGENT_NAMESPACE
from showstopper.cli.processes.logs import configure
from showstopper.cluster.client import Client
from showstopper.errors import AgentError, SettingsError


@dataclass(frozen=True, slots=True)
class Settings:
    """The agent's settings, all from the environment (the chart sets them)."""

    node: str
    namespace: str
    state: Path
    cgroups: Path
    log_level: str

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read them.

        Raises:
            SettingsError: naming the variable and what to set it to.
        """
        node = os.environ.get("NODE_NAME", "")
        if not node:
            raise SettingsError("NODE_NAME is not set: it names the node whose agent this is")
        return cls(
            node=node,
            namespace=os.environ.get("POD_NAMESPACE", AGENT_NAMESPACE),
            state=Path(os.environ.get("SHOWSTOPPER_STATE", "/run/showstopper-agent")),
            cgroups=Path(os.environ.get("SHOWSTOPPER_CGROUPS", str(cgroups.ROOT))),
            log_level=os.environ.get("SHOWSTOPPER_LOG_LEVEL", "info").upper(),
        )


def command() -> None:
    """Do the faults of one node, with what its kernel offers (settings come from the environment)."""
    try:
        settings = Settings.from_environment()
        configure(settings.log_level)
        asyncio.run(_operate(settings))
    except (SettingsError, AgentError) as error:
        sys.exit(f"showstopper agent: {error}")


async def _operate(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with await Client.connect() as client:
        await operate(
            client,
            stop,
            node_name=settings.node,
            namespace=settings.namespace,
            state=settings.state,
            cgroups=settings.cgroups,
        )
