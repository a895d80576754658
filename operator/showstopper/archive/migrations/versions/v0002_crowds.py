"""Crowds: how far everything is known of a pod's crowd."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it to the boots. Those that are there are of listener pods, and have none."""
    op.add_column("boots", sa.Column("settled", sa.Double))
