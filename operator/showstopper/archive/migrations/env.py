"""What Alembic runs: the migrations, in the transaction that archive/migrating.py has begun."""

from alembic import context

from showstopper.archive.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite changes tables by copying them.
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
