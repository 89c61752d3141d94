"""What each key may do; keys from before keep what they could."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# All but making and revoking keys, which no key could.
_BEFORE = "calls files keys:read provider:account scores:write traces:read traces:write"


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("scopes", sa.Text, nullable=False, server_default=_BEFORE))
