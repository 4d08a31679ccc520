"""What gateway tokens stand for, by their digests: a control plane that comes back knows them again."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "passes",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("grant_id", sa.String(32), nullable=False, index=True),
        sa.Column("server_id", sa.String(64), nullable=False),
        sa.Column("kernel_id", sa.String(64), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("issued_at", sa.String(24), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("passes")
