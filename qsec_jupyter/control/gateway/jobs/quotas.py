"""What was used of each quota this month, over all control planes of one state folder.

Two Jupyter Servers of one person have two control planes; a quota that each counted by itself would be two.
So uses stand in one small database beside the journals. A reservation is one transaction that nobody else's
can come between: of two jobs that want the last shot, one gets it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import OperationalError

from ....core.errors import Denied, Unavailable
from ..envelope import Allowance, unstated

uses = Table(
    "uses",
    MetaData(),
    Column("correlation_id", String(32), primary_key=True),
    Column("journal", String(36), nullable=False, index=True),
    Column("target", String(40), nullable=False, index=True),
    Column("month", String(7), nullable=False, index=True),
    Column("user", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("jobs", Integer, nullable=False),
    Column("shots", Integer, nullable=False),
    Column("execution_seconds", Float, nullable=False),
    Column("cost", Float, nullable=False),
)
"""``user`` is a ``subject``; ``project`` is empty for work of no project, which is counted together."""

WAIT_SECONDS = 10.0
_NAMES = ("correlation_id", "target", "month", "user", "project")
_UNITS = ("jobs", "shots", "execution_seconds", "cost")


@dataclass(frozen=True, slots=True)
class Use:
    """What a job would use.

    Attributes:
        month: Such as ``2026-01``.
        shots: ``None`` where it does not say.
    """

    correlation_id: str
    target: str
    month: str
    user: str
    project: str
    shots: int | None
    execution_seconds: int | None
    cost: float


class Quotas:
    """Reserves, corrects and gives back. Thread-safe, and safe among processes.

    Args:
        path: The database; made at the first reservation.
        journal: Whose reservations these are.
    """

    def __init__(self, path: Path, journal: str) -> None:
        self._path = path
        self._journal = journal
        self._engine: Engine | None = None

    def reserve(self, use: Use, quota: Mapping[str, Allowance]) -> None:
        """Take what a job would use from every quota that it falls under.

        Raises:
            Denied: ``quota.exceeded`` naming the quota and what is left of it; ``envelope.*_unstated`` for a
                job that does not say how much it asks for where that is counted.
        """
        asked = {
            "jobs": 1,
            "shots": use.shots,
            "execution_seconds": use.execution_seconds,
            "cost": use.cost,
        }
        with self._writing() as connection:
            for by, allowance in quota.items():
                used = self._used(connection, use, by)
                for unit in _UNITS:
                    _refuse_over(by, unit, asked[unit], used[unit], getattr(allowance, unit))
            row = {name: getattr(use, name) for name in _NAMES}
            row |= {"journal": self._journal, **{unit: asked[unit] or 0 for unit in _UNITS}}
            connection.execute(insert(uses).values(**row))

    def release(self, correlation_id: str) -> None:
        """Give back what a job would have used that never ran."""
        with self._writing() as connection:
            connection.execute(delete(uses).where(uses.c.correlation_id == correlation_id))

    def correct(self, correlation_id: str, execution_seconds: float) -> None:
        """Put what a job really used in the place of what it asked for."""
        statement = update(uses).where(uses.c.correlation_id == correlation_id)
        with self._writing() as connection:
            connection.execute(statement.values(execution_seconds=execution_seconds))

    def keep_only(self, correlation_ids: Iterable[str]) -> None:
        """Give back what this journal reserved for jobs that it does not know: a crash came between."""
        known = set(correlation_ids)
        with self._writing() as connection:
            mine = select(uses.c.correlation_id).where(uses.c.journal == self._journal)
            for stray in {row[0] for row in connection.execute(mine)} - known:
                connection.execute(delete(uses).where(uses.c.correlation_id == stray))

    def used(self, target: str, month: str, by: str, name: str) -> dict[str, Any]:
        """Return what was used of one quota."""
        use = Use("", target, month, name, name, 0, 0, 0.0)
        with self._writing() as connection:
            return self._used(connection, use, by)

    def close(self) -> None:
        """Close every connection."""
        if self._engine is not None:
            self._engine.dispose()

    def _used(self, connection: Connection, use: Use, by: str) -> dict[str, Any]:
        conditions = [uses.c.target == use.target, uses.c.month == use.month]
        if by != "target":
            conditions.append(uses.c[by] == getattr(use, by))
        sums = select(*(func.coalesce(func.sum(uses.c[unit]), 0).label(unit) for unit in _UNITS))
        return dict(connection.execute(sums.where(*conditions)).one()._mapping)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if self._engine is None:
            self._engine = _open(self._path)
        try:
            with self._engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise Unavailable(
                "quota.unwritable",
                "The count of quotas cannot be written",
                "The disk is full, or refuses.",
                "Free some space or repair the disk, and try again.",
            ) from error


def _open(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": WAIT_SECONDS})

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's recipe: pysqlite begins too late by itself
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # from the first read on, nobody else writes

    uses.metadata.create_all(engine)
    path.chmod(0o600)
    return engine


def _refuse_over(by: str, unit: str, asked: float | None, used: float, most: float | None) -> None:
    if most is None:
        return
    if asked is None:
        what = "execution_time" if unit == "execution_seconds" else unit
        raise unstated(what, f"The rule: at most {most:g} {unit} a month.")
    if round(used + asked, 9) > most:  # a sum of fractions is a little off
        whose = {"user": "Yours", "project": "Your project's", "target": "The target's"}[by]
        raise Denied(
            "quota.exceeded",
            "This job was not submitted: a quota of this month is used up",
            f"{whose}: {used:g} of {most:g} {unit} are used or reserved; this job asks for {asked:g}.",
            "Wait for the next month, submit a smaller job, or have the quota raised in catalog.toml.",
        )
