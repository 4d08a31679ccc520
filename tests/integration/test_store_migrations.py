"""Migrations on SQLite and on a real PostgreSQL: up with old rows in the tables, down, and up again."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from alembic import command, op
from alembic.config import Config

from qsec_jupyter.control import store as stores, tables
from qsec_jupyter.control.store import Store, migrate
from qsec_jupyter.core.model import Principal


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request, tmp_path):
    if request.param == "sqlite":
        made = sa.create_engine(f"sqlite:///{tmp_path / 'qsec.db'}")
    else:
        server = request.getfixturevalue("postgres")
        made = sa.create_engine(server.url().replace("postgresql:", "postgresql+psycopg:", 1))
        with made.begin() as connection:
            connection.exec_driver_sql("drop schema public cascade; create schema public")
    yield made
    made.dispose()


def to(engine, revision: str, direction=command.upgrade) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(stores.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        direction(config, revision)


def old_rows(engine) -> None:
    """What version 0008 kept: Ada became Lovelace, another took her name, and two people are called Bo."""
    meta = sa.MetaData()
    meta.reflect(engine)
    t = SimpleNamespace(**meta.tables)
    common = {"server_id": "s", "kernel_id": "k", "target": "t", "state": "active", "reason": "r"}
    common |= {"duration": 60, "requested_at": "2026-01-01T00:00:00.000Z", "policies": []}

    def grant(number, requester, subject):
        details = {"requester_subject": subject, "reviewed_by": "x"} if subject is not None else {}
        return {**common, "id": f"{number:032x}", "requester": requester, "details": details}

    def job(number, requester, grant_id):
        texts = dict.fromkeys(("kernel_id", "target", "backend", "body_digest"), "b")
        times = {"intended_at": "2026-01-01T00:00:00.000Z", "position": number, "state": "done"}
        named = {"correlation_id": f"{number:032x}", "grant_id": grant_id, "requester": requester}
        return {**texts, **times, **named, "details": {}}

    def lock(number, kind, name, by):
        at = {"reason": "r", "locked_at": "2026-01-01T00:00:00.000Z"}
        return {**at, "id": f"{number:032x}", "kind": kind, "name": name, "locked_by": by}

    people = [("id-ada", "lovelace"), ("id-bo", "bo"), ("id-bo-2", "bo"), ("id-cy", "cy")]
    with engine.begin() as connection:
        connection.execute(t.people.insert(), [{"subject": s, "name": n, "principal": {}} for s, n in people])
        connection.execute(
            t.grants.insert(),
            [
                grant(1, "ada", "id-ada"),
                grant(2, "lovelace", "id-ada"),
                grant(3, "cy", None),
                grant(4, "bo", None),
                grant(5, "laptop", None),
            ],
        )
        connection.execute(
            t.jobs.insert(), [job(1, "ada", f"{1:032x}"), job(2, "cy", "gone"), job(3, "bo", "gone")]
        )
        connection.execute(t.locks.insert(), [lock(1, "user", "bo", "cy"), lock(2, "role", "cy", "laptop")])
        connection.execute(
            t.subjects.insert(),
            [
                {"id": f"{name:_<32}", "name": name, "key": name.encode() * 4}
                for name in ("ada", "lovelace", "bo", "cy", "laptop", "id-cy")
            ],
        )


def column(engine, table, key, value) -> dict:
    with engine.connect() as connection:
        return dict(connection.execute(sa.select(table.c[key], table.c[value])).fetchall())


def test_old_rows_get_whose_they_are_as_far_as_it_is_known(engine) -> None:
    to(engine, "0008")
    old_rows(engine)
    migrate(engine)
    whose = {
        int(key, 16): value for key, value in column(engine, tables.grants, "id", "requester_subject").items()
    }
    assert whose == {1: "id-ada", 2: "id-ada", 3: "id-cy", 4: "", 5: "laptop"}
    jobs = column(engine, tables.jobs, "correlation_id", "requester_subject")
    assert list(jobs.values()) == ["id-ada", "id-cy", ""]
    locks = column(engine, tables.locks, "kind", "subjects")
    assert locks == {"user": ["id-bo", "id-bo-2"], "role": []}
    assert sorted(column(engine, tables.locks, "kind", "locked_by_subject").values()) == ["id-cy", "laptop"]


def test_pseudonyms_stay_and_are_found_by_whose_they_are(engine) -> None:
    to(engine, "0008")
    old_rows(engine)
    migrate(engine)
    found = column(engine, tables.subjects, "name", "subject")
    assert found["lovelace"] == "id-ada", "the name of today comes first"
    assert (found["cy"], found["laptop"]) == ("id-cy", "laptop")
    # A second name of hers, a name that two had, and one that looks like another's subject are nobody's.
    assert all(found[name].startswith(name + "_") for name in ("ada", "bo", "id-cy"))
    keys = column(engine, tables.subjects, "name", "key")
    assert {name: bytes(key) for name, key in keys.items()} == {name: name.encode() * 4 for name in keys}


def test_there_and_back_again(engine) -> None:
    to(engine, "0008")
    old_rows(engine)
    migrate(engine)
    with engine.begin() as connection:  # a name may be two people's now
        connection.execute(tables.subjects.insert(), {"id": "n", "subject": "new", "name": "cy", "key": b"k"})
    to(engine, "0008", command.downgrade)
    with engine.connect() as connection:
        names = connection.exec_driver_sql("select name from subjects").scalars().all()
    assert len(names) == len(set(names)) == 7
    migrate(engine)
    inspected = sa.inspect(engine)
    for table in tables.metadata.sorted_tables:
        real = {one["name"] for one in inspected.get_columns(table.name)}
        assert real == {one.name for one in table.columns}, table.name
        indexed = {tuple(one["column_names"]) for one in inspected.get_indexes(table.name)}
        assert {tuple(c.name for c in index.columns) for index in table.indexes} <= indexed, table.name


def test_a_pseudonym_is_made_once_for_a_person_of_any_name(engine) -> None:
    migrate(engine)
    store = Store.__new__(Store)  # its second engine is for SQLite's disk only
    store._engine = store._unhurried = engine
    store._subjects = {}
    one = store.subject(Principal("ada", "Ada", "", subject="id-ada"))
    store._subjects.clear()
    assert store.subject(Principal("lovelace", "Ada", "", subject="id-ada")) == (one[0], bytes(one[1]))
    assert store.subject(Principal("ada", "Ada", "", subject="id-2"))[0] != one[0]


def test_a_migration_that_breaks_off_leaves_the_database_as_it_was(engine, monkeypatch) -> None:
    to(engine, "0008")
    old_rows(engine)

    def breaks(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(op, "bulk_insert", breaks)
    with pytest.raises(KeyboardInterrupt):
        migrate(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select version_num from alembic_version").scalar() == "0008"
        assert connection.exec_driver_sql("select count(*) from subjects where name = 'ada'").scalar() == 1
    monkeypatch.undo()
    migrate(engine)
    assert len(column(engine, tables.subjects, "id", "subject")) == 6
