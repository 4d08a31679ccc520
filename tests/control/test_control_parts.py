"""Policy bundle, catalogue, journal slots, migrations, changes."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from qsec_jupyter.control import journal
from qsec_jupyter.control.catalog import load_catalog
from qsec_jupyter.control.changes import Changes
from qsec_jupyter.control.policy.bundle import SHIPPED, Bundle
from qsec_jupyter.control.policy.context import Situation
from qsec_jupyter.control.policy.engine import PolicyEngine
from qsec_jupyter.control.store import Store, migrate, open_engine
from qsec_jupyter.control.tables import metadata
from qsec_jupyter.core.errors import Invalid
from qsec_jupyter.core.model import Principal

SHIPPED_FILES = Bundle.shipped().files


def bundle(policies: str) -> Bundle:
    """Return the shipped bundle with other rules."""
    others = {name: text for name, text in SHIPPED_FILES.items() if not name.endswith(".cedar")}
    return Bundle({**others, "own.cedar": policies})


PILOT = load_catalog(Path("nowhere")).target("pilot")
ADA = Principal("ada", "Ada", "idp", roles=("researcher", "approver"))


def test_shipped_bundle_names_every_policy() -> None:
    text = "".join(path.read_text() for path in SHIPPED.glob("*.cedar"))
    assert text.count("permit (") + text.count("forbid (") == text.count("@id(") > 5


def test_self_approval_among_several_is_forbidden_by_name() -> None:
    engine = PolicyEngine.shipped()
    decision = engine.decide(ADA, "approve", "pilot", Situation(own_request=True, single_user=False))
    assert (decision.allowed, decision.policies) == (False, ("no-self-approval-among-several",))


def test_failing_policy_is_a_deny_even_if_another_permits() -> None:
    policies = (
        '@id("all") permit (principal, action, resource);\n'
        '@id("broken") forbid (principal, action == Action::"request", resource)\n'
        'when { principal.roles.contains("x") && 9223372036854775807 + 1 == 0 };'
    )
    person = Principal("eve", "Eve", "idp", roles=("x",))
    engine = PolicyEngine(bundle(policies))
    decision = engine.decide(person, "request", PILOT, Situation())
    assert engine.failures == 1
    assert not decision.allowed
    assert decision.policies == ("policy-error",)


def test_failing_policy_shows_in_the_health_line(plane) -> None:
    assert all(check["ok"] for check in plane.health.report()["checks"] if check["name"] == "policy")
    plane.policy.current.engine.failures = 1
    (check,) = [check for check in plane.health.report()["checks"] if check["name"] == "policy"]
    assert not check["ok"]


def test_bundle_that_does_not_fit_its_schema_does_not_start() -> None:
    with pytest.raises(Invalid, match=r"policy\.invalid"):
        PolicyEngine(bundle("permit (principal, action, resource) when { principal.age > 3 };"))


def test_odd_names_of_people_are_data_not_syntax() -> None:
    person = Principal('a"b\\ \n::', "x", "idp", roles=("researcher",))
    assert PolicyEngine.shipped().decide(person, "request", PILOT, Situation()).allowed


@pytest.mark.parametrize(
    "text",
    [
        "not toml [",
        '[targets."Sand box"]\ntitle = "x"',
        "[targets.a]\ntitle = 1",
        (SHIPPED / "catalog.toml").read_text().replace('tier = "deliver"', 'tier = "proxy"'),
    ],
)
def test_wrong_catalogue_is_refused_not_guessed(tmp_path, text) -> None:
    (tmp_path / "catalog.toml").write_text(text)
    with pytest.raises(Invalid) as caught:
        load_catalog(tmp_path)
    assert caught.value.code == "catalog.invalid"


def test_own_catalogue_takes_the_shipped_ones_place(tmp_path) -> None:
    text = (SHIPPED / "catalog.toml").read_text().replace("[targets.sandbox]", "[targets.lab]")
    (tmp_path / "catalog.toml").write_text(text)
    assert set(load_catalog(tmp_path).targets) == {"lab", "pilot"}


def test_second_control_plane_takes_the_next_journal(tmp_path) -> None:
    first, second = journal.take(tmp_path, "s1"), journal.take(tmp_path, "s2")
    assert [first.path.name, second.path.name] == ["journal-0", "journal-1"]
    first.release()
    second.release()


def test_same_server_finds_its_own_journal_again(tmp_path) -> None:
    first, second = journal.take(tmp_path, "s1"), journal.take(tmp_path, "s2")
    first.release()
    second.release()
    again = journal.take(tmp_path, "s2")
    assert again.path == second.path
    again.release()


@pytest.fixture
def process():
    """Another process that lives until the test ends it."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.stdin.close()
    process.wait()


def test_journal_of_a_living_server_is_left_to_it_while_its_control_plane_restarts(tmp_path, process) -> None:
    journal.take(tmp_path, "s1", process.pid).release(in_order=False)  # its control plane was killed
    other = journal.take(tmp_path, "s2", os.getpid())
    assert other.path.name == "journal-1"
    assert list(journal.orphans(tmp_path)) == []
    again = journal.take(tmp_path, "s1", process.pid)
    assert again.path.name == "journal-0"
    again.release()
    other.release()


def test_journal_of_a_killed_server_is_found_and_taken(tmp_path, process) -> None:
    journal.take(tmp_path, "s1", process.pid).release(in_order=False)
    process.kill()
    process.wait()
    (orphan,) = journal.orphans(tmp_path)
    assert orphan.path.name == "journal-0"
    orphan.release()
    assert list(journal.orphans(tmp_path)) == []
    taken = journal.take(tmp_path, "s2", os.getpid())
    assert taken.path.name == "journal-0"
    taken.release()


def test_another_process_with_the_same_number_is_not_the_server(tmp_path, process) -> None:
    lost = journal.take(tmp_path, "s1", process.pid)
    lost.release(in_order=False)
    owner = tmp_path / "journal-0" / "server"
    owner.write_text(owner.read_text().replace(journal.Owner.of("s1", process.pid).started, "1"))
    assert [found.release() for found in journal.orphans(tmp_path)] == [None]


def test_journal_let_go_in_order_is_no_orphan(tmp_path, process) -> None:
    journal.take(tmp_path, "s1", process.pid).release()
    process.kill()
    process.wait()
    assert list(journal.orphans(tmp_path)) == []


@pytest.mark.parametrize(
    "text", ["", "server-1", "[]", '{"server_id": "s1"}', '{"server_id": 1, "pid": "x"}']
)
def test_unreadable_owner_keeps_nobody_out(tmp_path, text) -> None:
    (tmp_path / "journal-0").mkdir()
    (tmp_path / "journal-0" / "server").write_text(text)
    taken = journal.take(tmp_path, "s2", os.getpid())
    assert taken.path.name == "journal-0"
    taken.release()


def test_migrations_make_exactly_the_tables_of_the_code(tmp_path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    migrate(engine)
    migrate(engine)  # a second start changes nothing
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


@pytest.mark.asyncio
async def test_waiter_wakes_on_a_change_from_another_thread() -> None:
    changes = Changes()
    waiting = asyncio.create_task(changes.beyond(changes.version, 5))
    await asyncio.sleep(0)
    await asyncio.to_thread(changes.bump)
    assert await asyncio.wait_for(waiting, 1) == 2


@pytest.mark.asyncio
async def test_waiter_gives_up_in_time() -> None:
    changes = Changes()
    assert await changes.beyond(changes.version, 0.05) == 1


def test_change_of_rights_counts_as_a_change_and_no_other_change_as_one_of_rights() -> None:
    changes = Changes()
    changes.rights.bump()
    assert (changes.version, changes.rights.version) == (2, 2)
    changes.bump()
    assert (changes.version, changes.rights.version) == (3, 2)


@pytest.mark.asyncio
async def test_waiter_for_rights_sleeps_through_other_changes() -> None:
    changes = Changes()
    waiting = asyncio.create_task(changes.rights.beyond(changes.rights.version, 5))
    await asyncio.sleep(0)
    changes.bump()
    await asyncio.sleep(0.05)
    assert not waiting.done()
    changes.rights.bump()
    assert await asyncio.wait_for(waiting, 1) == 2


def test_only_what_the_ledger_tells_again_is_written_without_waiting_for_the_disk(tmp_path) -> None:
    store = Store(open_engine(tmp_path / "qsec.db"))
    said = {}
    for flush in (True, False):
        with store._begin(flush=flush) as connection:
            said[flush] = connection.exec_driver_sql("PRAGMA synchronous").scalar()
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    assert said == {True: 2, False: 1}  # FULL and NORMAL
    store.close()
