"""Database: connections to SQLite (a file of our own) or PostgreSQL (by URL), set up so that a kill loses nothing."""

from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from showstopper.errors import SettingsError

PATIENCE_SECONDS = 10
_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


def connect(text: str) -> Engine:
    """The database at a URL such as sqlite:////var/lib/showstopper/archive.db or postgresql://user:word@host/name.

    Nothing is opened yet.

    Raises:
        SettingsError: when it is no such URL. The message never holds a password.
    """
    url = _url(text)
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    options = f"-c statement_timeout={PATIENCE_SECONDS * 1000} -c timezone=UTC"
    return create_engine(
        url, pool_pre_ping=True, connect_args={"connect_timeout": PATIENCE_SECONDS, "options": options}
    )


def _url(text: str) -> URL:
    try:
        url = make_url(text.strip())
    except ArgumentError:
        url = None
    driver = _DRIVERS.get(url.drivername.partition("+")[0]) if url else None
    if url is None or driver is None:
        raise SettingsError(
            "the archive's database URL is of no kind that we know: write sqlite:////PATH/archive.db or "
            "postgresql://USER:PASSWORD@HOST/NAME"
        )
    return url.set(drivername=driver)


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": PATIENCE_SECONDS})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # Python's module would begin transactions by itself, and not around CREATE TABLE.
        connection.isolation_level = None
        # Readers and the writer do not wait for each other. NORMAL: what was committed survives a kill of the process;
        # if the machine goes, the last seconds may be gone, how far a feed was read with them, and are read again.
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine
