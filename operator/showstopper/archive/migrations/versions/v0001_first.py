"""The first form: runs, boots of listener pods, their spans and visits."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "runs",
        sa.Column("uid", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("namespace", "name", "experiment", "room", "revision")),
        sa.Column("asked", sa.Double, nullable=False),
        sa.Column("started", sa.Double),
        sa.Column("finished", sa.Double),
        *(sa.Column(name, sa.Text) for name in ("verdict", "reason", "audible", "dead_air", "recovery")),
        sa.Column("seen", sa.Double, nullable=False),
        sa.Column("gone", sa.Double),
        sa.Column("body", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("uid", name="pk_runs"),
    )
    op.create_index("ix_runs_asked_uid", "runs", ["asked", "uid"])
    op.create_index("ix_runs_namespace_experiment_asked_uid", "runs", ["namespace", "experiment", "asked", "uid"])
    op.create_index("ix_runs_namespace_room_started", "runs", ["namespace", "room", "started"])
    op.create_table(
        "boots",
        sa.Column("id", number, sa.Identity(), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("namespace", "room", "pod", "boot")),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("next", "lost")),
        *(sa.Column(name, sa.Double, nullable=False) for name in ("clock", "offset", "worth", "seen")),
        sa.PrimaryKeyConstraint("id", name="pk_boots"),
        sa.UniqueConstraint("namespace", "room", "pod", "boot", name="uq_boots_namespace_room_pod_boot"),
    )
    op.create_table(
        "spans",
        sa.Column("boot_id", number, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("start", sa.Double, nullable=False),
        sa.Column("listener", sa.Text, nullable=False),
        sa.Column("end", sa.Double, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("delay", sa.Double),
        sa.Column("missing", sa.Double, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("boot_id", "kind", "start", "listener", name="pk_spans"),
        sa.ForeignKeyConstraint(["boot_id"], ["boots.id"], name="fk_spans_boot_id", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "visits",
        sa.Column("boot_id", number, nullable=False),
        sa.Column("called", sa.Double, nullable=False),
        sa.Column("listener", sa.Text, nullable=False),
        *(sa.Column(name, sa.Double) for name in ("joined", "first_audio", "first_live")),
        sa.Column("left", sa.Double, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("boot_id", "called", "listener", name="pk_visits"),
        sa.ForeignKeyConstraint(["boot_id"], ["boots.id"], name="fk_visits_boot_id", ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
