"""Claim: nobody but this user can place compiled rules, which would be run as code, in the cache."""

import os
import random
import shutil

import pytest

from qsec_jupyter.scan import engine as engines
from qsec_jupyter.scan.compiled import MAGIC, Cache
from qsec_jupyter.scan.rules.samples import fill
from qsec_jupyter.scan.ruleset import load_rules

TEXT = fill('token = "{random:44}"', random.Random(5))[0].encode()


@pytest.fixture
def planted(tmp_path_factory):
    """A victim's folder with a good cache, and one with what an attacker made in his own."""
    victim, attacker = tmp_path_factory.mktemp("victim"), tmp_path_factory.mktemp("attacker")
    good = load_rules(victim)
    Cache(attacker).write(good.version, (4).to_bytes(4, "big") + b"[[]]" + b"not a database")
    (theirs,) = attacker.glob("rules-*.bin")
    (mine,) = victim.glob("rules-*.bin")
    return victim, mine, theirs, good.version


def refused(victim, version):
    assert Cache(victim).read(version) is None
    assert load_rules(victim).engine.scan(TEXT)  # built anew, and works
    return True


def test_a_well_formed_file_by_another_user_is_ignored(planted):
    victim, mine, theirs, version = planted
    shutil.copyfile(theirs, mine)
    mine.chmod(0o600)
    assert refused(victim, version)


def test_a_file_with_a_plain_digest_instead_of_a_keyed_one_is_ignored(planted):
    import hashlib

    victim, mine, _, version = planted
    body = mine.read_bytes()[len(MAGIC) + 32 :]
    mine.write_bytes(MAGIC + hashlib.sha256(body).digest() + body)
    assert refused(victim, version)


def test_one_changed_bit_of_the_database_is_enough(planted):
    victim, mine, _, version = planted
    content = bytearray(mine.read_bytes())
    for at in (len(MAGIC) + 40, len(content) // 2, len(content) - 1):
        changed = bytearray(content)
        changed[at] ^= 0x10
        mine.write_bytes(changed)
        assert Cache(victim).read(version) is None
    assert refused(victim, version)


def test_the_cache_of_another_version_is_no_good_under_this_ones_name(planted):
    victim, mine, _, version = planted
    other = "0" * 64
    Cache(victim).write(other, mine.read_bytes()[len(MAGIC) + 32 :])
    shutil.copyfile(victim / f"rules-{other[:32]}.bin", mine)
    mine.chmod(0o600)
    assert refused(victim, version)


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
@pytest.mark.parametrize("mode", [0o622, 0o660, 0o604])
def test_a_file_that_others_may_touch_is_ignored(planted, mode):
    victim, mine, _, version = planted
    mine.chmod(mode)
    assert refused(victim, version)


@pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")
def test_a_symbolic_link_is_not_followed(planted, tmp_path):
    victim, mine, _, version = planted
    elsewhere = tmp_path / "elsewhere.bin"
    mine.rename(elsewhere)
    mine.symlink_to(elsewhere)
    assert refused(victim, version)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_in_its_place_does_not_hang(planted):
    victim, mine, _, version = planted
    mine.unlink()
    os.mkfifo(mine, 0o600)
    assert refused(victim, version)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_owner_is_ignored(planted):
    victim, mine, _, version = planted
    os.chown(mine, 12345, 12345)
    assert refused(victim, version)


def test_nothing_is_given_to_the_library_before_the_digest_is_right(planted, monkeypatch):
    victim, mine, theirs, _version = planted
    shutil.copyfile(theirs, mine)
    hyperscan = engines.hyperscan_module()
    monkeypatch.setattr(hyperscan, "loadb", lambda *_: pytest.fail("a foreign database was loaded"))
    load_rules(victim)
