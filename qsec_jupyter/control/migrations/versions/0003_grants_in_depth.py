"""What a grant says beyond who, what and when; locks; series that were approved once."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("grants") as table:
        table.add_column(sa.Column("details", sa.JSON, nullable=False, server_default="{}"))
    op.create_index("ix_grants_requester", "grants", ["requester"])
    op.create_index("ix_grants_requested_at", "grants", ["requested_at"])
    op.create_table(
        "locks",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("locked_by", sa.Text, nullable=False),
        sa.Column("locked_at", sa.String(24), nullable=False),
        sa.Column("lifted_by", sa.Text),
        sa.Column("lifted_at", sa.String(24)),
    )
    op.create_table(
        "series",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("subject", sa.Text, nullable=False, index=True),
        sa.Column("target", sa.String(40), nullable=False),
        sa.Column("terms", sa.JSON, nullable=False),
        sa.Column("left", sa.Integer, nullable=False),
        sa.Column("until", sa.String(24), nullable=False),
        sa.Column("approved_by", sa.Text, nullable=False),
        sa.Column("grant_id", sa.String(32), nullable=False),
        sa.Column("ended_at", sa.String(24)),
    )


def downgrade() -> None:
    op.drop_table("series")
    op.drop_table("locks")
    op.drop_index("ix_grants_requested_at", "grants")
    op.drop_index("ix_grants_requester", "grants")
    with op.batch_alter_table("grants") as table:
        table.drop_column("details")
