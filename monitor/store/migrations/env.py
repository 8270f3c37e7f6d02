from alembic import context

from monitor.store.tables import metadata

# The caller gives the connection, inside its transaction: a migration that fails midway leaves nothing behind.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
