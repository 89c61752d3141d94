"""The environment of keys and batches; those from before are of production."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    for table in ("api_keys", "batches"):
        op.add_column(table, sa.Column("environment", sa.Text, nullable=False, server_default="production"))
