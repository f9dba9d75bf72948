"""What Alembic runs the steps with: the connection and transaction that the catalog gives it."""

from alembic import context

from tilt.data.migrations import tables_of_all

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables_of_all(),
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
