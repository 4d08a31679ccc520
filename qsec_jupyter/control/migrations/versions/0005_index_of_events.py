"""The index of the ledger, by which people find what concerns them. It fills itself from the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("time", sa.String(24), nullable=False, index=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("target", sa.String(40)),
        sa.Column("grant_id", sa.String(32), index=True),
        sa.Column("asserted_by", sa.String(8), nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.create_index("ix_events_kind", "events", ["kind", "position"])
    op.create_index("ix_events_target", "events", ["target", "position"])
    op.create_table(
        "concerned",
        sa.Column("subject", sa.String(32), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("target", sa.String(40)),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_concerned_kind", "concerned", ["subject", "kind", "position"])
    op.create_index("ix_concerned_target", "concerned", ["subject", "target", "position"])


def downgrade() -> None:
    op.drop_table("concerned")
    op.drop_table("events")
