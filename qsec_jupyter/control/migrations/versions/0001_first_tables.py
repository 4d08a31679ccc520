"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "subjects",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("key", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "grants",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("server_id", sa.String(64), nullable=False),
        sa.Column("kernel_id", sa.String(64), nullable=False),
        sa.Column("target", sa.String(40), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("requester", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("ticket", sa.Text),
        sa.Column("duration", sa.Integer, nullable=False),
        sa.Column("requested_at", sa.String(24), nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", sa.String(24)),
        sa.Column("decision_comment", sa.Text),
        sa.Column("activated_at", sa.String(24)),
        sa.Column("expires_at", sa.String(24)),
        sa.Column("ended_at", sa.String(24)),
        sa.Column("policies", sa.JSON, nullable=False),
    )
    op.create_index("ix_grants_kernel_id", "grants", ["kernel_id"])
    op.create_index("ix_grants_state", "grants", ["state"])
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("grant_id", sa.String(32), nullable=False),
        sa.Column("accessor", sa.Text),
        sa.Column("lease_ids", sa.JSON, nullable=False),
        sa.Column("expires_at", sa.String(24), nullable=False),
        sa.Column("ended", sa.Boolean, nullable=False),
    )
    op.create_index("ix_sessions_grant_id", "sessions", ["grant_id"])
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(64), primary_key=True),
        sa.Column("kernel_id", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("summary", sa.JSON, nullable=False),
        sa.Column("completion_index", sa.Integer),
    )
    op.create_index("ix_runs_kernel_id", "runs", ["kernel_id"])
    op.create_index("ix_runs_position", "runs", ["position"])
    op.create_table(
        "findings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("found_at", sa.String(24), nullable=False),
        sa.Column("kept_reason", sa.Text),
        sa.Column("finding", sa.JSON, nullable=False),
    )
    op.create_index("ix_findings_path", "findings", ["path"])
    op.create_table(
        "gaps",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kernel_id", sa.String(64)),
        sa.Column("run_id", sa.String(64)),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("time", sa.String(24), nullable=False),
    )


def downgrade() -> None:
    for table in ("gaps", "findings", "runs", "sessions", "grants", "subjects"):
        op.drop_table(table)
