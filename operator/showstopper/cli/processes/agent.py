"""`showstopper agent`: the agent of one node."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from showstopper import runtime
from showstopper.agent.kernel import cgroups
from showstopper.agent.operation import operate
from showstopper.api.stop_switch import AGENT_NAMESPACE
from showstopper.cluster.client import Client


@dataclass(frozen=True, slots=True)
class Settings:
    """The agent's settings, from environment variables that the chart sets."""

    node: str
    namespace: str
    state: Path
    cgroups: Path

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read them.

        Raises:
            SettingsError: naming the variable and what to set it to.
        """
        return cls(
            node=runtime.required("NODE_NAME", "it names the node whose agent this is"),
            namespace=os.environ.get("POD_NAMESPACE", AGENT_NAMESPACE),
            state=Path(os.environ.get("SHOWSTOPPER_STATE", "/run/showstopper-agent")),
            cgroups=Path(os.environ.get("SHOWSTOPPER_CGROUPS", str(cgroups.ROOT))),
        )


def command() -> None:
    """Run the node agent. Its settings are environment variables."""
    runtime.run("agent", Settings.from_environment, _operate)


async def _operate(settings: Settings, stop: asyncio.Event) -> None:
    async with await Client.connect() as client:
        await operate(
            client,
            stop,
            node_name=settings.node,
            namespace=settings.namespace,
            state=settings.state,
            cgroups=settings.cgroups,
        )
