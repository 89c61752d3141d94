"""Projects, users, API keys, sign-in links and sessions; nothing was there before."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "projects",
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("project_id", name="pk_projects"),
        sa.UniqueConstraint("name", name="uq_projects_name"),
    )
    op.create_table(
        "users",
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("is_admin", sa.Boolean, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_users"),
        sa.UniqueConstraint("name", name="uq_users_name"),
    )
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key_hash", sa.Text, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("models", sa.Text, nullable=False),
        sa.Column("created_ns", sa.BigInteger, nullable=False),
        sa.Column("expires_ns", sa.BigInteger),
        sa.Column("revoked_ns", sa.BigInteger),
        sa.Column("last_used_ns", sa.BigInteger),
        sa.PrimaryKeyConstraint("key_id", name="pk_api_keys"),
        sa.UniqueConstraint("key_hash", name="uq_api_keys_key_hash"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.project_id"], name="fk_api_keys_project_id_projects"
        ),
    )
    for name in ("sign_in_links", "sessions"):
        ended = "used_ns" if name == "sign_in_links" else "revoked_ns"
        op.create_table(
            name,
            sa.Column("token_hash", sa.Text, nullable=False),
            sa.Column("user_id", sa.Text, nullable=False),
            sa.Column("created_ns", sa.BigInteger, nullable=False),
            sa.Column("expires_ns", sa.BigInteger, nullable=False),
            sa.Column(ended, sa.BigInteger),
            sa.PrimaryKeyConstraint("token_hash", name=f"pk_{name}"),
            sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=f"fk_{name}_user_id_users"),
        )
        op.create_index(f"ix_{name}_expires_ns", name, ["expires_ns"])
    op.create_table(
        "access_revisions",
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_access_revisions"),
    )
    op.execute("INSERT INTO access_revisions (subject, number) VALUES ('keys', 1)")
