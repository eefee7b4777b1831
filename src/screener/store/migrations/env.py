"""Alembic environment: runs on the connection that ``screener.store.database`` hands over."""

from alembic import context

from screener.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
