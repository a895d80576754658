"""Newcomers of crowds: until when everything is known of a visit."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it to the visits. Of those that are there everything is known."""
    op.add_column("visits", sa.Column("sure", sa.Double))
