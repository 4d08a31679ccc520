"""One SQLite database for each journal: opening, migrating, and the few ways it is read and written."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from sqlalchemy import (
    URL,
    BindParameter,
    ColumnElement,
    Connection,
    Delete,
    Engine,
    Insert,
    Select,
    Table,
    Update,
    bindparam,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import OperationalError

from ..core.errors import Unavailable
from ..core.model import Principal
from . import tables

Row = dict[str, Any]
Change = tuple[Table, Row, Row]
"""A table, which of its rows, and what they hold from then on."""

SUBJECT_SECONDS = 10.0
"""How long a person's pseudonym and key stay in memory: whoever is forgotten is forgotten here, too."""


def open_engine(path: Path) -> Engine:
    """Open the database and bring it to the newest migration.

    WAL with ``synchronous=FULL``: what was committed survives a crash of the machine.
    """
    engine = _engine(f"sqlite:///{path}", "FULL")
    migrate(engine)
    path.chmod(0o600)
    return engine


def _engine(url: URL | str, synchronous: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 5})

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")

    return engine


def open_to_read(path: Path) -> Engine:
    """Open a journal's database to read it, also while a control plane writes to it."""
    return create_engine(f"sqlite:///file:{quote(str(path))}?mode=ro&uri=true", connect_args={"timeout": 5})


def migrate(engine: Engine) -> None:
    """Run every migration that this database has not seen: all of them or none."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":  # its driver begins with the first row, not the first table
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


class Store:
    """Reads and writes rows as dictionaries. Thread-safe; each call is its own transaction.

    What is written with ``flush=False`` does not wait for the disk. It survives the end of this process, but
    perhaps not that of the machine; then it is lost together with all that was written after it, never alone
    (one write-ahead log holds both, https://sqlite.org/pragma.html#pragma_synchronous). It is for what the
    ledger tells again when the journal is opened.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._unhurried = _engine(engine.url, "NORMAL")
        self._subjects: dict[str, tuple[float, str, bytes]] = {}

    @contextmanager
    def _begin(self, *, flush: bool = True) -> Iterator[Connection]:
        try:
            with (self._engine if flush else self._unhurried).begin() as connection:
                yield connection
        except OperationalError as error:
            raise Unavailable(
                "store.unwritable",
                "The database cannot be written",
                "The disk is full, or refuses.",
                "Free some space or repair the disk, and try again.",
            ) from error

    def close(self) -> None:
        """Close every connection."""
        self._unhurried.dispose()
        self._engine.dispose()

    def add(self, table: Table, row: Row) -> int:
        """Insert a row; return its integer key, when it has one."""
        with self._begin() as connection:
            key = connection.execute(_insert(table), row).inserted_primary_key
        return key[0] if key and isinstance(key[0], int) else 0

    def add_all(self, rows: Sequence[tuple[Table, Sequence[Row]]], *, flush: bool = True) -> None:
        """Insert rows of several tables, all or none."""
        with self._begin(flush=flush) as connection:
            for table, several in rows:
                if several:
                    connection.execute(_insert(table), list(several))

    def found(self, statement: Select[Any]) -> list[Row]:
        """Return the rows that a selection finds."""
        with self._engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(statement)]

    def run(self, statement: Delete) -> int:
        """Delete what a statement says; return how many rows that were."""
        with self._begin() as connection:
            return connection.execute(statement).rowcount

    def change(self, table: Table, where: Row, values: Row, *, flush: bool = True) -> int:
        """Update the rows that match; return how many."""
        form, told = _taken_apart(where)
        with self._begin(flush=flush) as connection:
            return connection.execute(_update(table, form), {**told, **values}).rowcount

    def remove(self, table: Table, where: Row) -> int:
        """Delete the rows that match; return how many."""
        form, told = _taken_apart(where)
        with self._begin() as connection:
            return connection.execute(_delete(table, form), told).rowcount

    def change_each(self, changes: Iterable[Change]) -> None:
        """Update rows, each by a condition of its own: all of them or none."""
        with self._begin() as connection:
            for table, where, values in changes:
                form, told = _taken_apart(where)
                connection.execute(_update(table, form), {**told, **values})

    def rows(self, table: Table, where: Row | None = None, *, newest: int | None = None) -> list[Row]:
        """Return the rows that match; with ``newest``, that many with the highest ``id``."""
        form, told = _taken_apart(where or {})
        statement = _select(table, form)
        if newest is not None:
            statement = statement.order_by(table.c.id.desc()).limit(newest)
        with self._engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(statement, told)]

    def ordered(
        self, table: Table, conditions: Sequence[ColumnElement[bool]], order: ColumnElement[Any], limit: int
    ) -> list[Row]:
        """Return the first ``limit`` rows in that order among those that meet all conditions."""
        statement = select(table).where(*conditions).order_by(order).limit(limit)
        with self._engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(statement)]

    def newest(self, table: Table, conditions: Sequence[ColumnElement[bool]], limit: int) -> list[Row]:
        """Return the ``limit`` rows with the highest ``position`` among those that meet all conditions."""
        statement = select(table).where(*conditions).order_by(table.c.position.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(statement)]

    def highest(self, *columns: Any) -> int:
        """Return the highest value in any of the columns; -1 when there is none."""
        with self._engine.connect() as connection:
            found = [connection.execute(select(func.max(column))).scalar() for column in columns]
        return max((value for value in found if value is not None), default=-1)

    def one(self, table: Table, where: Row) -> Row | None:
        """Return the row that matches, or ``None``."""
        found = self.rows(table, where)
        return found[0] if found else None

    def subject(self, who: Principal) -> tuple[str, bytes]:
        """Return the pseudonym and key of somebody, made at first use; known for a short while.

        They go by what stays when a name changes, and the name that was given first is told until
        :meth:`.people.People.seen` knows a newer one.
        """
        known = self._subjects.get(who.subject)
        if known is not None and time.monotonic() - known[0] < SUBJECT_SECONDS:
            return known[1], known[2]
        row = self.one(tables.subjects, {"subject": who.subject})
        if row is None:
            row = {"id": secrets.token_hex(16), "subject": who.subject, "name": who.name}
            row["key"] = secrets.token_bytes(32)
            self.add(tables.subjects, row)
        self._subjects[who.subject] = (time.monotonic(), row["id"], row["key"])
        return row["id"], row["key"]


# -- statements: making one takes longer than running it, so each form is made once -------------------

_Form = tuple[tuple[str, Literal["is", "in", "null"]], ...]


def _taken_apart(where: Row) -> tuple[_Form, Row]:
    """Return the form of a condition, and its values as parameters."""
    form: list[tuple[str, Literal["is", "in", "null"]]] = []
    told: Row = {}
    for name, value in where.items():
        if value is None:
            form.append((name, "null"))
        elif isinstance(value, (list, tuple, set, frozenset)):
            form.append((name, "in"))
            told[f"where_{name}"] = list(value)
        else:
            form.append((name, "is"))
            told[f"where_{name}"] = value
    return tuple(form), told


def _conditions(table: Table, form: _Form) -> Iterator[ColumnElement[bool]]:
    for name, kind in form:
        column = table.c[name]
        value: BindParameter[Any] = bindparam(f"where_{name}", type_=column.type, expanding=kind == "in")
        if kind == "null":
            yield column.is_(None)
        else:
            yield column.in_(value) if kind == "in" else column == value


@lru_cache(256)
def _select(table: Table, form: _Form) -> Select[Any]:
    return select(table).where(*_conditions(table, form))


@lru_cache(256)
def _insert(table: Table) -> Insert:
    return insert(table)


@lru_cache(256)
def _update(table: Table, form: _Form) -> Update:
    return update(table).where(*_conditions(table, form))


@lru_cache(256)
def _delete(table: Table, form: _Form) -> Delete:
    return delete(table).where(*_conditions(table, form))
