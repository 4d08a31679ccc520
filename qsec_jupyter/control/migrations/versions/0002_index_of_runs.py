"""What runs are searched and filtered by, as columns."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INDEXED = ("framework", "backend", "status", "started_at", "parent")


def upgrade() -> None:
    with op.batch_alter_table("runs") as table:
        table.add_column(sa.Column("framework", sa.String(40), nullable=False, server_default="unknown"))
        table.add_column(sa.Column("backend", sa.String(100), nullable=False, server_default="unknown"))
        table.add_column(sa.Column("status", sa.String(16), nullable=False, server_default="unknown"))
        table.add_column(sa.Column("started_at", sa.String(40), nullable=False, server_default=""))
        table.add_column(sa.Column("parent", sa.String(64)))
        table.add_column(sa.Column("searched", sa.Text, nullable=False, server_default=""))
    for name in INDEXED:
        op.create_index(f"ix_runs_{name}", "runs", [name])
    # What was recorded before is found by what its summary holds.
    op.execute(
        """
        UPDATE runs SET
          framework = json_extract(summary, '$.framework'),
          backend = json_extract(summary, '$.backend'),
          status = json_extract(summary, '$.status'),
          started_at = json_extract(summary, '$.started_at'),
          searched = lower(run_id || ' ' || json_extract(summary, '$.operation') || ' '
            || json_extract(summary, '$.backend') || ' ' || json_extract(summary, '$.framework')),
          summary = json_set(summary, '$.parent_run_id', NULL, '$.notebook', NULL)
        """
    )


def downgrade() -> None:
    for name in INDEXED:
        op.drop_index(f"ix_runs_{name}", "runs")
    with op.batch_alter_table("runs") as table:
        for name in (*INDEXED, "searched"):
            table.drop_column(name)
