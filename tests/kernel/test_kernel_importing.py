import importlib
import sys
from importlib.machinery import SourceFileLoader

import pytest

from qsec_jupyter.kernel.importing import PostImport


@pytest.fixture
def watched(tmp_path, monkeypatch):
    (tmp_path / "qsec_probe.py").write_text("VALUE = 1\n")
    (tmp_path / "qsec_broken.py").write_text("raise LookupError('from the module')\n")
    monkeypatch.syspath_prepend(tmp_path)
    imports, seen = PostImport(), []
    yield imports, seen
    if imports in sys.meta_path:
        sys.meta_path.remove(imports)
    for name in ("qsec_probe", "qsec_broken"):
        sys.modules.pop(name, None)


def test_a_hook_runs_after_the_module_was_executed_and_never_imports_it(watched):
    imports, seen = watched
    imports.on("qsec_probe", lambda module: seen.append(module.VALUE))
    assert "qsec_probe" not in sys.modules
    module = importlib.import_module("qsec_probe")
    assert seen == [1]
    assert type(module.__loader__) is SourceFileLoader
    assert "exec_module" not in vars(module.__loader__)


def test_a_hook_runs_at_once_for_a_module_that_is_loaded(watched):
    imports, seen = watched
    importlib.import_module("qsec_probe")
    imports.on("qsec_probe", lambda module: seen.append(module.VALUE))
    assert seen == [1]


def test_a_hook_runs_again_after_a_reload(watched):
    imports, seen = watched
    imports.on("qsec_probe", lambda module: seen.append(module.VALUE))
    importlib.reload(importlib.import_module("qsec_probe"))
    assert seen == [1, 1]


def test_other_modules_are_found_as_ever(watched):
    imports, seen = watched
    imports.on("qsec_probe", lambda module: seen.append(module.VALUE))
    assert imports.find_spec("json.tool") is None
    assert importlib.util.find_spec("qsec_probe").loader is not None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("qsec_no_such_module")
    assert seen == []


def test_an_import_error_passes_unchanged(watched):
    imports, seen = watched
    imports.on("qsec_broken", seen.append)
    with pytest.raises(LookupError, match="from the module"):
        importlib.import_module("qsec_broken")
    assert seen == []
