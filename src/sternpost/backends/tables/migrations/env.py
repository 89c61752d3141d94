"""What Alembic runs to upgrade: the caller's connection and transaction; offline scripts are not made."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
