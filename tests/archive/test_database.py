import pytest
from sqlalchemy import Engine, text

from showstopper.archive.database import connect
from showstopper.errors import SettingsError


@pytest.mark.parametrize("url", ["", "archive.db", "mysql://me:secret@there/it", "postgresql//me:secret@there"])
def test_another_url_is_refused_without_telling_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="postgresql://USER:PASSWORD@HOST/NAME") as refused:
        connect(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_gets_the_driver_that_is_installed(scheme: str) -> None:
    assert connect(f"{scheme}://me@there/it").url.drivername == "postgresql+psycopg"


def test_sqlite_outlives_a_kill_and_reads_while_it_is_written(tmp_path: object) -> None:
    engine = connect(f"sqlite:///{tmp_path}/it.db")
    with engine.begin() as writer:
        writer.execute(text("CREATE TABLE it (x)"))
    with engine.begin() as writer:
        writer.execute(text("INSERT INTO it VALUES (1)"))
        with engine.connect() as reader:
            assert reader.execute(text("SELECT count(*) FROM it")).scalar() == 0
            assert reader.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    engine.dispose()


def test_tables_made_in_a_transaction_that_fails_are_not_there(empty: Engine) -> None:
    with empty.connect() as connection:
        connection.execute(text("CREATE TABLE it (x INTEGER)"))
        connection.rollback()
    with empty.begin() as connection:
        connection.execute(text("CREATE TABLE it (x INTEGER)"))
