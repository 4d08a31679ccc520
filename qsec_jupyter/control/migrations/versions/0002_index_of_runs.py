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
    _fill()


def downgrade() -> None:
    for name in INDEXED:
        op.drop_index(f"ix_runs_{name}", "runs")
    with op.batch_alter_table("runs") as table:
        for name in (*INDEXED, "searched"):
            table.drop_column(name)


def _fill() -> None:
    """Have what was recorded before found by what its summary holds."""
    types = {"summary": sa.JSON}
    columns = ("run_id", "framework", "backend", "status", "started_at", "searched", "summary")
    runs = sa.table("runs", *(sa.column(name, types.get(name, sa.Text)) for name in columns))
    for run_id, summary in op.get_bind().execute(sa.select(runs.c.run_id, runs.c.summary)).fetchall():
        words = (run_id, *(summary[name] for name in ("operation", "backend", "framework")))
        values = {name: summary[name] for name in ("framework", "backend", "status", "started_at")}
        values |= {"searched": " ".join(words).lower()}
        values |= {"summary": {**summary, "parent_run_id": None, "notebook": None}}
        op.execute(sa.update(runs).where(runs.c.run_id == run_id).values(**values))
