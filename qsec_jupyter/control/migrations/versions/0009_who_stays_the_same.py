"""Grants, jobs, locks and pseudonyms go by what an identity provider calls a person: a name may change.

Old rows are filled as far as it is known whose they are. What was done under a name that two people had is
nobody's from then on; only those see it who see everything.
"""

from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _table(name: str, *columns: str) -> sa.TableClause:
    types: dict[str, Any] = {"details": sa.JSON, "subjects": sa.JSON, "key": sa.LargeBinary}
    return sa.table(name, *(sa.column(one, types.get(one, sa.Text)) for one in columns))


_people = _table("people", "name", "subject")
_grants = _table("grants", "id", "requester", "requester_subject", "details")
_jobs = _table("jobs", "correlation_id", "grant_id", "requester", "requester_subject")
_locks = _table("locks", "id", "kind", "name", "subjects", "locked_by", "locked_by_subject")
_subjects = _table("subjects", "id", "subject", "name", "key")


def upgrade() -> None:
    for table in ("grants", "jobs"):
        op.add_column(table, sa.Column("requester_subject", sa.Text, nullable=False, server_default=""))
        op.create_index(f"ix_{table}_requester_subject", table, ["requester_subject"])
        op.drop_index(f"ix_{table}_requester", table)
    op.add_column("locks", sa.Column("subjects", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("locks", sa.Column("locked_by_subject", sa.Text, nullable=False, server_default=""))
    known = _known()
    _fill_grants_and_jobs(known)
    _fill_locks(known)
    _fill_subjects(known)


def downgrade() -> None:
    rows, names = _rows(_subjects), set()
    for row in rows:  # a name was one person's
        row["name"] = row["name"] if row["name"] not in names else f"{row['name']} {row['id']}"
        names.add(row["name"])
        del row["subject"]
    _rebuild(rows, sa.Column("name", sa.Text, nullable=False, unique=True))
    with op.batch_alter_table("locks") as table:
        table.drop_column("subjects")
        table.drop_column("locked_by_subject")
    for name in ("jobs", "grants"):
        op.create_index(f"ix_{name}_requester", name, ["requester"])
        op.drop_index(f"ix_{name}_requester_subject", name)
        with op.batch_alter_table(name) as table:
            table.drop_column("requester_subject")


def _known() -> dict[str, set[str]]:
    """Return, for each name, whose it is known to be or to have been."""
    known: dict[str, set[str]] = defaultdict(set)
    for row in _rows(_people):
        known[row["name"]].add(row["subject"])
    for row in _rows(_grants):
        if subject := row["details"].get("requester_subject"):
            known[row["requester"]].add(subject)
    return known


def _whose(name: str, known: dict[str, set[str]]) -> str:
    """Return whose a name is: its own where no provider says more, nobody's where two had it."""
    found = known.get(name) or {name}
    return next(iter(found)) if len(found) == 1 else ""


def _fill_grants_and_jobs(known: dict[str, set[str]]) -> None:
    of_grant = {}
    for row in _rows(_grants):
        subject = row["details"].get("requester_subject") or _whose(row["requester"], known)
        of_grant[row["id"]] = subject
        _change(_grants, _grants.c.id == row["id"], requester_subject=subject)
    for row in _rows(_jobs):
        subject = of_grant.get(row["grant_id"]) or _whose(row["requester"], known)
        _change(_jobs, _jobs.c.correlation_id == row["correlation_id"], requester_subject=subject)


def _fill_locks(known: dict[str, set[str]]) -> None:
    for row in _rows(_locks):
        whom = sorted(known.get(row["name"], ())) if row["kind"] == "user" else []
        by = _whose(row["locked_by"], known)
        _change(_locks, _locks.c.id == row["id"], subjects=whom, locked_by_subject=by)


def _fill_subjects(known: dict[str, set[str]]) -> None:
    present = {row["name"] for row in _rows(_people)}
    kept = _table("subjects", "id", "name", "key")
    taken: set[str] = set()
    rows = []
    for row in sorted(_rows(kept), key=lambda row: (row["name"] not in present, row["name"])):
        subject = _whose(row["name"], known)
        subject = row["id"] if not subject or subject in taken else subject
        taken.add(subject)
        rows.append({**row, "subject": subject})
    _rebuild(
        rows,
        sa.Column("subject", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
    )


def _rebuild(rows: list[dict[str, Any]], *columns: sa.Column[Any]) -> None:
    """Make the table of pseudonyms anew: what was unique in it has no name by which to drop it everywhere."""
    op.drop_table("subjects")
    made = op.create_table(
        "subjects",
        sa.Column("id", sa.String(32), primary_key=True),
        *columns,
        sa.Column("key", sa.LargeBinary, nullable=False),
    )
    op.bulk_insert(made, rows)


def _rows(table: sa.TableClause) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in op.get_bind().execute(sa.select(table))]


def _change(table: sa.TableClause, where: sa.ColumnElement[bool], **values: object) -> None:
    op.execute(sa.update(table).where(where).values(**values))
