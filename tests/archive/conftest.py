"""Databases for tests: SQLite in a file, and a real PostgreSQL, each empty for each test."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from dev import postgresql
from dev.cluster.apiserver import ApiServer
from showstopper.archive.database import connect
from showstopper.archive.migrating import migrate
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import EXPERIMENT_RUN
from tests.support.api_server import with_crds


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server that runs for all tests."""
    with postgresql.running() as url:
        yield url


@pytest.fixture(scope="session")
def server() -> Iterator[ApiServer]:
    """An API server without the runs of other tests: an archive keeps those of all namespaces."""
    with with_crds() as running:
        yield running


@pytest.fixture
async def client(client: Client) -> Client:
    """A client of an API server in whose namespace `show` there is no run."""
    for run in await client.list(EXPERIMENT_RUN, "show"):
        await client.delete(EXPERIMENT_RUN, "show", run["metadata"]["name"])
    return client


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/archive.db"
    there: str = request.getfixturevalue("postgres")
    name = f"test_{uuid4().hex}"
    engine = connect(there)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return there.replace("/postgres?", f"/{name}?")


@pytest.fixture
def empty(url: str) -> Iterator[Engine]:
    """An empty database."""
    engine = connect(url)
    yield engine
    engine.dispose()


@pytest.fixture
def database(empty: Engine) -> Engine:
    """A database with our tables."""
    migrate(empty)
    return empty
