"""Jobs at the gateway, and sessions at providers."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("correlation_id", sa.String(32), primary_key=True),
        sa.Column("position", sa.Integer, nullable=False, index=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("job_id", sa.String(200), index=True),
        sa.Column("target", sa.String(40), nullable=False, index=True),
        sa.Column("grant_id", sa.String(32), nullable=False, index=True),
        sa.Column("kernel_id", sa.String(64), nullable=False),
        sa.Column("requester", sa.Text, nullable=False, index=True),
        sa.Column("backend", sa.String(200), nullable=False),
        sa.Column("session", sa.String(200)),
        sa.Column("body_digest", sa.String(64), nullable=False),
        sa.Column("intended_at", sa.String(24), nullable=False, index=True),
        sa.Column("sent_at", sa.String(24)),
        sa.Column("ended_at", sa.String(24)),
        sa.Column("usage_seconds", sa.Float),
        sa.Column("ending", sa.String(16), index=True),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
    )
    op.create_table(
        "provider_sessions",
        sa.Column("session_id", sa.String(200), primary_key=True),
        sa.Column("target", sa.String(40), nullable=False),
        sa.Column("grant_id", sa.String(32), nullable=False, index=True),
        sa.Column("opened_at", sa.String(24), nullable=False),
        sa.Column("closed_at", sa.String(24)),
        sa.Column("ending", sa.String(16), index=True),
    )


def downgrade() -> None:
    op.drop_table("provider_sessions")
    op.drop_table("jobs")
