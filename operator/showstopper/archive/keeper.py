"""Keeper: the way to the database for everybody in this process: one writer, in a thread, and errors in our words."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from showstopper.archive.migrating import migrate
from showstopper.clock import Clock
from showstopper.errors import ArchiveError

log = structlog.get_logger()
T = TypeVar("T")
OPEN_SECONDS = 2.0


class Keeper:
    """Reads and writes. `trouble` says why the last write failed. It is empty after one that worked."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.trouble = "the database is not open yet"
        self.kept_at = 0.0
        self.engine = engine
        self._clock = clock
        # SQLite takes one writer; PostgreSQL needs no more for this.
        self._writer = ThreadPoolExecutor(1, "archive-writer")

    async def open(self) -> None:
        """Have the database in today's form, however long it takes until it answers."""
        while True:
            try:
                await self._guarded(lambda: migrate(self.engine))
            except ArchiveError:
                await asyncio.sleep(OPEN_SECONDS)
            else:
                log.info("database_open", database=self.engine.url.render_as_string(hide_password=True))
                return

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Do the work in one transaction: all of it is kept, or nothing.

        Raises:
            ArchiveError: when the database does not take it.
        """

        def transaction() -> T:
            with self.engine.begin() as connection:
                return work(connection)

        return await self._guarded(transaction)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What is kept.

        Raises:
            ArchiveError: when the database does not answer.
        """

        def transaction() -> T:
            try:
                with self.engine.connect() as connection:
                    return work(connection)
            except SQLAlchemyError as error:
                raise ArchiveError(f"the database does not answer: {_said(error)}") from error

        return await asyncio.to_thread(transaction)

    async def close(self) -> None:
        """Let what is being written be written."""
        await asyncio.to_thread(self._writer.shutdown)
        self.engine.dispose()

    async def _guarded(self, work: Callable[[], T]) -> T:
        """Do the work in the writer's thread. Note how it went, and log when it begins to fail and works again."""
        try:
            done = await asyncio.get_running_loop().run_in_executor(self._writer, work)
        except (SQLAlchemyError, ArchiveError, OverflowError, ValueError) as error:
            trouble = str(error) if isinstance(error, ArchiveError) else f"the database takes nothing: {_said(error)}"
            if trouble != self.trouble:
                log.warning("database_fails", problem=trouble)
            self.trouble = trouble
            raise ArchiveError(trouble) from error
        if self.trouble and self.kept_at:
            log.info("database_works_again")
        self.trouble, self.kept_at = "", self._clock.now()
        return done


def _said(error: Exception) -> str:
    """The database's own words, without the statement and its values."""
    said = str(error.orig if isinstance(error, DBAPIError) else error).strip()
    return (said.splitlines() or [type(error).__name__])[0][:300]
