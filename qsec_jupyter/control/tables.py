"""The tables of a journal's database. Migrations make them; see ``migrations/``."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

subjects = Table(
    "subjects",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("subject", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
)
"""A person's random id and key: the ledger knows only these, so that removing the row forgets the person.

Found by ``subject``, which stays when a name changes; ``name`` is the one that they were last seen with."""

people = Table(
    "people",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("principal", JSON, nullable=False),
)
"""People as they were last seen, by what their identity provider calls them."""

grants = Table(
    "grants",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("server_id", String(64), nullable=False),
    Column("kernel_id", String(64), nullable=False, index=True),
    Column("target", String(40), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("requester", Text, nullable=False),
    Column("requester_subject", Text, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("ticket", Text),
    Column("duration", Integer, nullable=False),
    Column("requested_at", String(24), nullable=False, index=True),
    Column("decided_by", Text),
    Column("decided_at", String(24)),
    Column("decision_comment", Text),
    Column("activated_at", String(24)),
    Column("expires_at", String(24)),
    Column("ended_at", String(24)),
    Column("policies", JSON, nullable=False),
    Column("details", JSON, nullable=False),
)
"""``details`` holds the fields of a grant that are not searched for."""

locks = Table(
    "locks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("subjects", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("locked_by", Text, nullable=False),
    Column("locked_by_subject", Text, nullable=False),
    Column("locked_at", String(24), nullable=False),
    Column("lifted_by", Text),
    Column("lifted_at", String(24)),
)

series = Table(
    "series",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("subject", Text, nullable=False, index=True),
    Column("target", String(40), nullable=False),
    Column("terms", JSON, nullable=False),
    Column("left", Integer, nullable=False),
    Column("until", String(24), nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("grant_id", String(32), nullable=False),
    Column("ended_at", String(24)),
)
"""Requests of a kind that an approver has approved in advance: for whom, what terms, how many are left."""

sessions = Table(
    "sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("grant_id", String(32), nullable=False, index=True),
    Column("accessor", Text),
    Column("lease_ids", JSON, nullable=False),
    Column("expires_at", String(24), nullable=False),
    Column("ended", Boolean, nullable=False, default=False),
)
"""What must be remembered to end a session after a crash: an accessor, never a token."""

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("kernel_id", String(64), nullable=False, index=True),
    Column("position", Integer, nullable=False, index=True),
    Column("summary", JSON, nullable=False),
    Column("completion_index", Integer),
    Column("framework", String(40), nullable=False, index=True),
    Column("backend", String(100), nullable=False, index=True),
    Column("status", String(16), nullable=False, index=True),
    Column("started_at", String(40), nullable=False, index=True),
    Column("parent", String(64), index=True),
    Column("searched", Text, nullable=False),
)
"""The index of runs: ``position`` is the ledger index of the first statement; the ledger is the record."""

findings = Table(
    "findings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("path", Text, nullable=False, index=True),
    Column("fingerprint", String(64), nullable=False),
    Column("found_at", String(24), nullable=False),
    Column("kept_reason", Text),
    Column("finding", JSON, nullable=False),
)

gaps = Table(
    "gaps",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kernel_id", String(64)),
    Column("run_id", String(64)),
    Column("what", Text, nullable=False),
    Column("time", String(24), nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("position", Integer, primary_key=True),
    Column("time", String(24), nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("target", String(40)),
    Column("grant_id", String(32), index=True),
    Column("asserted_by", String(8), nullable=False),
    Column("data", JSON, nullable=False),
    Index("ix_events_kind", "kind", "position"),
    Index("ix_events_target", "target", "position"),
)
"""The index of the ledger: ``position`` is an entry's. The ledger is the record; this is made from it."""

notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("channel", String(40), nullable=False),
    Column("position", Integer, nullable=False),
    Column("queued_at", String(24), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", String(24), nullable=False, index=True),
    UniqueConstraint("channel", "position"),
)
"""Notifications that wait to be sent: which event, by which channel."""

concerned = Table(
    "concerned",
    metadata,
    Column("subject", String(32), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("target", String(40)),
    Index("ix_concerned_kind", "subject", "kind", "position"),
    Index("ix_concerned_target", "subject", "target", "position"),
    sqlite_with_rowid=False,
)
"""Whom each entry concerns, by pseudonym: who did it, whose request or token it is, who was locked."""

jobs = Table(
    "jobs",
    metadata,
    Column("correlation_id", String(32), primary_key=True),
    Column("position", Integer, nullable=False, index=True),
    Column("state", String(16), nullable=False, index=True),
    Column("job_id", String(200), index=True),
    Column("target", String(40), nullable=False, index=True),
    Column("grant_id", String(32), nullable=False, index=True),
    Column("kernel_id", String(64), nullable=False),
    Column("requester", Text, nullable=False),
    Column("requester_subject", Text, nullable=False, index=True),
    Column("backend", String(200), nullable=False),
    Column("session", String(200)),
    Column("body_digest", String(64), nullable=False),
    Column("intended_at", String(24), nullable=False, index=True),
    Column("sent_at", String(24)),
    Column("ended_at", String(24)),
    Column("usage_seconds", Float),
    Column("ending", String(16), index=True),
    Column("details", JSON, nullable=False),
    Column("sealed", LargeBinary),
)
"""Jobs at the gateway. ``position`` is the ledger index of what was last written of a job; ``ending`` is what
is still to be done to it at its provider; ``sealed`` holds what was hidden from the provider, encrypted."""

provider_sessions = Table(
    "provider_sessions",
    metadata,
    Column("session_id", String(200), primary_key=True),
    Column("target", String(40), nullable=False),
    Column("grant_id", String(32), nullable=False, index=True),
    Column("opened_at", String(24), nullable=False),
    Column("closed_at", String(24)),
    Column("ending", String(16), index=True),
)
"""Sessions that a provider opened through the gateway."""

passes = Table(
    "passes",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("id", String(16), nullable=False),
    Column("grant_id", String(32), nullable=False, index=True),
    Column("server_id", String(64), nullable=False),
    Column("kernel_id", String(64), nullable=False),
    Column("subject", Text, nullable=False),
    Column("scope", String(16), nullable=False),
    Column("issued_at", String(24), nullable=False),
)
"""What gateway tokens stand for, by their digests: a control plane that comes back knows them again."""
