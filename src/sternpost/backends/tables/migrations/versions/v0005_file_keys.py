"""Which key a file was sent with, for the quota of that key."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("files", sa.Column("key_id", sa.Text, nullable=False, server_default=""))
