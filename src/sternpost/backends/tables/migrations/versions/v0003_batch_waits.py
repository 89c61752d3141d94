"""Why a job at a provider's batch API waits."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("batch_vendor_jobs", sa.Column("waits_because", sa.Text, nullable=False, server_default=""))
