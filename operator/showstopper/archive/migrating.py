"""Migrating: brings a database, also an empty one, into today's form, all of it or nothing."""

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from showstopper.archive import migrations
from showstopper.errors import ArchiveError

_LOCK = 0x53484F57
"""Any number that no one else on the same server locks."""


def migrate(engine: Engine) -> None:
    """Bring the database up to date, unless it is.

    Raises:
        ArchiveError: when a newer version of Showstopper has been at it: what it keeps would be misread.
    """
    config = Config()
    config.set_main_option("script_location", str(resources.files(migrations)).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # another archive may be starting: one after the other
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        stands = MigrationContext.configure(connection).get_current_revision()
        known = {script.revision for script in scripts.walk_revisions()}
        if stands is not None and stands not in known:
            raise ArchiveError(
                f"the database is of a newer form ({stands}) than this version of Showstopper knows: install the newer "
                "version again, or give it a database of its own"
            )
        if stands != scripts.get_current_head():
            _upgrade(config, connection)


def _upgrade(config: Config, connection: Connection) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
