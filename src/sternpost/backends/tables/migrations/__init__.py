"""Schema versions of the tables, run by Alembic from inside the package."""
