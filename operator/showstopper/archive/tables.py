"""Tables: runs as they were last seen, and what each process of a listener pod told, on that process's own clock."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only where the key is an INTEGER.
_Number = BigInteger().with_variant(Integer, "sqlite")


def _seconds(name: str, *, nullable: bool = False) -> Column[float]:
    """Unix seconds, or seconds of a pod's monotonic clock."""
    return Column(name, Double, nullable=nullable)


runs = Table(
    "runs",
    metadata,
    Column("uid", Text, primary_key=True),
    Column("namespace", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("experiment", Text, nullable=False),
    Column("room", Text, nullable=False),
    Column("revision", Text, nullable=False),
    _seconds("asked"),
    _seconds("started", nullable=True),
    _seconds("finished", nullable=True),
    Column("verdict", Text),
    Column("reason", Text),
    Column("audible", Text),
    Column("dead_air", Text),
    Column("recovery", Text),
    _seconds("seen"),
    _seconds("gone", nullable=True),
    # Last, so that SQLite lists runs without reading what each of them is in full.
    Column("body", JSON, nullable=False),
    Index(None, "asked", "uid"),
    Index(None, "namespace", "experiment", "asked", "uid"),
    Index(None, "namespace", "room", "started"),
)
"""A run and its resource. `asked` orders runs. `seen` is when the body was read, `gone` when its deletion was seen."""

boots = Table(
    "boots",
    metadata,
    Column("id", _Number, Identity(), primary_key=True),
    Column("namespace", Text, nullable=False),
    Column("room", Text, nullable=False),
    Column("pod", Text, nullable=False),
    Column("boot", Text, nullable=False),
    Column("next", BigInteger, nullable=False),
    Column("lost", BigInteger, nullable=False),
    _seconds("clock"),
    _seconds("offset"),
    _seconds("worth"),
    _seconds("seen"),
    _seconds("settled", nullable=True),
    UniqueConstraint("namespace", "room", "pod", "boot"),
)
"""One process of a listener pod. `next`: how far its feed is kept. `lost`: entries that its ring had dropped before.

`offset` added to its clock gives unix seconds. Of all readings, the one of the least `worth` (uncertainty, less with
age) is kept, as availability/boots.py does. `clock` and `seen` are its own and our time of its newest answer.
`settled`: of a crowd, the time of its clock up to which everything is known. None: a pod of listeners.
"""

spans = Table(
    "spans",
    metadata,
    Column("boot_id", _Number, ForeignKey("boots.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("start", Double, primary_key=True),
    Column("listener", Text, primary_key=True),
    Column("end", Double, nullable=False),
    Column("state", Text, nullable=False),
    Column("delay", Double),
    Column("missing", Double, nullable=False),
    Column("closed", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
"""Spans of a listener never overlap, so that its start names one. One that is not closed was still growing.

A crowd's span that is not closed has the end that it had when it was written: it goes on as far as its boot is settled.
So a crowd in which nothing changes costs one row an answer, its boot's.
"""

visits = Table(
    "visits",
    metadata,
    Column("boot_id", _Number, ForeignKey("boots.id", ondelete="CASCADE"), primary_key=True),
    Column("called", Double, primary_key=True),
    Column("listener", Text, primary_key=True),
    Column("joined", Double),
    Column("first_audio", Double),
    Column("first_live", Double),
    Column("left", Double, nullable=False),
    Column("error", Text, nullable=False),
    Column("sure", Double),
    sqlite_with_rowid=False,
)
"""The finished visits of newcomers. `sure`: until when everything is known of one. None: to its end."""
