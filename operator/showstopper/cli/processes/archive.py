"""`showstopper archive`: the archive's process."""

import asyncio
import os
from dataclasses import dataclass
from datetime import timedelta

from showstopper import runtime
from showstopper.api.schema.quantities import parse_duration
from showstopper.cluster.client import Client
from showstopper.errors import InvalidQuantity, SettingsError

SHORTEST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Settings:
    """The archive's settings, from environment variables that the chart sets."""

    database: str
    retention: timedelta
    idle_retention: timedelta
    port: int

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read them.

        Raises:
            SettingsError: naming the variable and what to set it to.
        """
        return cls(
            database=runtime.required(
                "SHOWSTOPPER_DATABASE_URL", "write sqlite:////PATH/archive.db or postgresql://USER:PASSWORD@HOST/NAME"
            ),
            retention=_duration("SHOWSTOPPER_RETENTION", "2160h"),
            idle_retention=_duration("SHOWSTOPPER_IDLE_RETENTION", "168h"),
            port=runtime.port(),
        )


def _duration(name: str, default: str) -> timedelta:
    text = os.environ.get(name, default)
    try:
        duration = parse_duration(text)
    except InvalidQuantity as error:
        raise SettingsError(f"{name}: {error}") from error
    if duration < SHORTEST:
        raise SettingsError(f"{name} is {text}: write 1h or more; the listeners themselves keep an hour")
    return duration


def command() -> None:
    """Run the archive. Its settings are environment variables."""
    runtime.run("archive", Settings.from_environment, _operate)


async def _operate(settings: Settings, stop: asyncio.Event) -> None:
    try:
        from showstopper.archive import database, operation  # noqa: PLC0415 - who only wants to read needs no driver
    except ModuleNotFoundError as error:
        raise SettingsError(f"{error.name} is missing: pip install 'showstopper[archive]'") from error
    retention = operation.Retention(settings.retention, min(settings.retention, settings.idle_retention))
    engine = database.connect(settings.database)
    async with await Client.connect() as client:
        await operation.operate(client, engine, stop, retention=retention, port=settings.port)
