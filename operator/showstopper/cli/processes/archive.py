"""`showstopper archive`: the archive's process."""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from datetime import timedelta

from showstopper.api.quantities import parse_duration
from showstopper.cli.processes.logs import configure
from showstopper.cluster.client import Client
from showstopper.errors import InvalidQuantity, SettingsError

SHORTEST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Settings:
    """The archive's settings, all from the environment (the chart sets them)."""

    database: str
    retention: timedelta
    idle_retention: timedelta
    port: int
    log_level: str

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read them.

        Raises:
            SettingsError: naming the variable and what to set it to.
        """
        database = os.environ.get("SHOWSTOPPER_DATABASE_URL", "")
        if not database:
            raise SettingsError(
                "SHOWSTOPPER_DATABASE_URL is not set: write sqlite:////PATH/archive.db or "
                "postgresql://USER:PASSWORD@HOST/NAME"
            )
        port = os.environ.get("SHOWSTOPPER_PORT", "8080")
        if not port.isdigit():
            raise SettingsError(f"SHOWSTOPPER_PORT is {port!r}: set it to a port number, like 8080")
        return cls(
            database=database,
            retention=_duration("SHOWSTOPPER_RETENTION", "2160h"),
            idle_retention=_duration("SHOWSTOPPER_IDLE_RETENTION", "168h"),
            port=int(port),
            log_level=os.environ.get("SHOWSTOPPER_LOG_LEVEL", "info").upper(),
        )


def _duration(name: str, usual: str) -> timedelta:
    text = os.environ.get(name, usual)
    try:
        found = parse_duration(text)
    except InvalidQuantity as error:
        raise SettingsError(f"{name}: {error}") from error
    if found < SHORTEST:
        raise SettingsError(f"{name} is {text}: write 1h or more; the listeners themselves keep an hour")
    return found


def command() -> None:
    """Keep runs, and what listeners told, in a database, and answer for it (settings come from the environment)."""
    try:
        settings = Settings.from_environment()
        configure(settings.log_level)
        asyncio.run(_operate(settings))
    except SettingsError as error:
        sys.exit(f"showstopper archive: {error}")


async def _operate(settings: Settings) -> None:
    try:
        from showstopper.archive import database, operation  # noqa: PLC0415 - who only wants to read needs no driver
    except ModuleNotFoundError as error:
        raise SettingsError(f"{error.name} is missing: pip install 'showstopper[archive]'") from error
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    retention = operation.Retention(settings.retention, min(settings.retention, settings.idle_retention))
    engine = database.connect(settings.database)
    async with await Client.connect() as client:
        await operation.operate(client, engine, stop, retention=retention, port=settings.port)
