import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from showstopper.archive.migrating import migrate
from showstopper.archive.tables import metadata
from showstopper.errors import ArchiveError


def test_an_empty_database_gets_exactly_the_tables_of_today(empty: Engine) -> None:
    migrate(empty)
    with empty.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    keys = {table: inspect(empty).get_pk_constraint(table)["constrained_columns"] for table in metadata.tables}
    assert keys == {name: [column.name for column in table.primary_key] for name, table in metadata.tables.items()}


def test_a_table_that_no_migration_makes_is_noticed(empty: Engine) -> None:
    migrate(empty)
    with empty.begin() as connection:
        connection.execute(text("DROP TABLE visits"))
        assert compare_metadata(MigrationContext.configure(connection), metadata) != []


def test_doing_it_again_changes_nothing(database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("INSERT INTO boots VALUES (7, 'show', 'room', 'pod', 'boot', 1, 0, 1, 1, 1, 1, NULL)"))
    migrate(database)
    with database.connect() as connection:
        assert connection.execute(text("SELECT id FROM boots")).scalars().all() == [7]


def test_what_the_first_version_kept_is_still_there(database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("ALTER TABLE boots DROP COLUMN settled"))
        connection.execute(text("ALTER TABLE visits DROP COLUMN sure"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        connection.execute(text("INSERT INTO boots VALUES (7, 'show', 'room', 'pod', 'boot', 1, 0, 1, 1, 1, 1)"))
        connection.execute(text("INSERT INTO visits VALUES (7, 1, 'pod/a1', 2, 3, 3, 9, '')"))
    migrate(database)
    with database.connect() as connection:
        assert connection.execute(text("SELECT id, settled FROM boots")).all() == [(7, None)]
        assert connection.execute(text("SELECT listener, sure FROM visits")).all() == [("pod/a1", None)]


def test_a_migration_that_fails_leaves_nothing_half_done(empty: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import op

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(op, "create_index", broken)
    with pytest.raises(ZeroDivisionError):
        migrate(empty)
    assert inspect(empty).get_table_names() == []
    monkeypatch.undo()
    migrate(empty)


def test_a_database_of_a_newer_version_is_left_alone(database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ArchiveError, match=r"newer form \(9999\)"):
        migrate(database)
