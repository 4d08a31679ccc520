"""Compiled rules are cached for their own user, rule set and library only."""

import logging
import os
import random

import pytest

from qsec_jupyter.core import paths
from qsec_jupyter.scan import compiled, ruleset
from qsec_jupyter.scan.compiled import Cache
from qsec_jupyter.scan.rules.samples import fill
from qsec_jupyter.scan.ruleset import load_rules

TEXT = fill('token = "{random:44}"', random.Random(5))[0].encode()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    return folder, load_rules(folder)


def cached(folder):
    (file,) = folder.glob("rules-*.bin")
    return file


def test_cached_rules_are_private_and_the_same(built):
    folder, first = built
    second = load_rules(folder)
    assert cached(folder).stat().st_mode & 0o777 == 0o600
    assert [rule.id for rule in first.rules] == [rule.id for rule in second.rules]
    assert sorted(first.engine.scan(TEXT)) == sorted(second.engine.scan(TEXT))


def test_second_start_compiles_nothing(built, monkeypatch):
    monkeypatch.setattr(ruleset, "_compile", lambda *_: pytest.fail("compiled again"))
    load_rules(built[0])


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "text", "not json", "no database"])
def test_damaged_cache_is_built_anew(built, damage):
    folder, _ = built
    content = bytearray(cached(folder).read_bytes())
    content[len(content) // 2] ^= 1
    texts = {"flip": bytes(content), "cut": bytes(content[:500]), "empty": b"", "text": b"hello"}
    cached(folder).write_bytes(texts.get(damage, compiled.MAGIC + b"x" * 32 + b"body"))
    assert load_rules(folder).engine.scan(TEXT)
    assert Cache(folder).read(load_rules(folder).version) is not None


def test_cache_that_cannot_be_written_is_said_and_costs_nothing_else(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "qsec.scan"):
        rules = load_rules(tmp_path / "no such folder")
    assert "could not be cached" in caplog.text
    assert rules.engine.scan(TEXT)


def test_more_rules_than_are_kept_push_out_the_oldest(tmp_path):
    cache = Cache(tmp_path)
    for number in range(compiled.KEPT + 3):
        cache.write(f"{number:032}", b"body")
        os.utime(tmp_path / f"rules-{number:032}.bin", (number, number))
    assert cache.read(f"{0:032}") is None
    assert cache.read(f"{compiled.KEPT + 2:032}") == b"body"
    assert len(list(tmp_path.glob("rules-*.bin"))) == compiled.KEPT


def test_cache_folder_follows_the_usual_variables(tmp_path, monkeypatch):
    monkeypatch.delenv("QSEC_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert paths.cache() == tmp_path / "qsec"
    assert paths.cache().stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("QSEC_HOME", str(tmp_path / "home"))
    assert paths.cache() == tmp_path / "home" / "cache"
