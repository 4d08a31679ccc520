# Every target in one line: make help. Continuous integration calls the same targets.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CACHE := .cache
export UV_CACHE_DIR ?= $(abspath $(CACHE))/uv
export PATH := $(abspath $(CACHE))/bin:$(abspath $(BIN)):$(PATH)
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
CHECK ?=
FUZZ_SECONDS ?= 120

.DEFAULT_GOAL := help
.PHONY: help install demo test lint types arch generate unit integration attack jest ui upstream bench fuzz docs vault wheel constraints clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# -- set-up ------------------------------------------------------------------------------------

$(CACHE)/venv.stamp: pyproject.toml constraints.txt
	@mkdir -p $(CACHE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Python 3.10 or later is needed (PYTHON=...)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r pyproject.toml --extra all --extra test --extra lint --extra docs --extra dev \
	    --constraint constraints.txt hatchling hatch-nodejs-version hatch-jupyter-builder
	@touch $@

$(CACHE)/node.stamp: package.json yarn.lock $(CACHE)/venv.stamp
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || { echo "Node 20 or later is needed"; exit 1; }
	$(BIN)/jlpm install --immutable
	@touch $@

$(CACHE)/lab.stamp: $(CACHE)/node.stamp $(shell find src style schema -type f 2>/dev/null) tsconfig.json
	$(BIN)/jlpm build
	@touch $@

$(CACHE)/install.stamp: $(CACHE)/lab.stamp
	SKIP_JUPYTER_BUILDER=1 $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

install: $(CACHE)/install.stamp ## Make .venv, install, build the front end

constraints: ## Resolve constraints.txt anew, for every supported Python
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --no-header --no-annotate --no-emit-index-url \
	    --all-extras pyproject.toml --upgrade --output-file constraints.txt

# -- use ---------------------------------------------------------------------------------------

demo: install ## Start JupyterLab on the first-run notebook; CHECK=1 runs it without a browser
	$(BIN)/qsec demo $(if $(CHECK),--check)

# -- checks ------------------------------------------------------------------------------------

test: lint types arch generate docs unit integration attack jest check ui ## Everything below, as continuous integration runs it

lint: install ## ruff, eslint, prettier, stylelint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/jlpm lint:check

types: install ## mypy, strict
	$(BIN)/mypy

arch: install ## The import contract between the floors
	$(BIN)/lint-imports

generate: install ## OpenAPI and the TypeScript types made from it are up to date
	$(BIN)/python -m qsec_jupyter.control.openapi --check docs/openapi.json
	$(BIN)/jlpm generate:check

unit: install ## pytest without real servers
	$(BIN)/pytest -q -n auto --dist loadfile tests --ignore=tests/integration --ignore=tests/attack

# In an environment of its own: it replaces JupyterLab's drive for whatever runs beside it.
$(CACHE)/collaboration.stamp: $(CACHE)/venv.stamp
	$(BIN)/uv venv --quiet --python $(BIN)/python --clear $(CACHE)/collaboration
	$(BIN)/uv pip install --quiet --python $(CACHE)/collaboration/bin/python -r pyproject.toml \
	    "jupyter-collaboration>=4" "jupyterlab>=4.4,<5" --constraint constraints.txt
	@touch $@

integration: install vault $(CACHE)/collaboration.stamp ## pytest against real servers: Vault, Jupyter Server, kernels
	$(BIN)/pytest -q tests/integration

attack: install vault ## pytest that tries to break every security claim
	$(BIN)/pytest -q tests/attack

jest: install ## Front-end unit tests
	$(BIN)/jlpm test

check: install ## The first-run notebook through a real server and kernel
	$(BIN)/qsec demo --check

ui: install chromium ## The story in a real JupyterLab and Notebook in Chromium
	cd ui-tests && jlpm install --immutable && jlpm playwright test

.PHONY: check chromium
chromium:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq chromium; } \
	    || { echo "Chromium is needed for the UI tests: apt-get install chromium"; exit 1; }

upstream: install ## Suites of Qiskit, ipykernel and others with and without the hooks, compared test by test (40 min)
	dev/upstream.sh

vault: ## Build a real Vault for the tests into .cache/bin (10 min cold), unless vault or bao is on PATH
	dev/vault/build.sh

fuzz: install ## Properties of the scanner and of reading jobs on a hundred times as much input, then led by coverage
	QSEC_FUZZ=100 $(BIN)/pytest -q tests/scan/fuzz tests/control/gateway/fuzz
	$(BIN)/uv pip install --quiet --python $(BIN)/python "atheris>=3" --constraint constraints.txt
	for target in "tests/scan/fuzz/coverage_guided.py units" "tests/scan/fuzz/coverage_guided.py redaction" \
	    "tests/scan/fuzz/coverage_guided.py rules" \
	    "tests/control/gateway/fuzz/coverage_guided.py qpy" "tests/control/gateway/fuzz/coverage_guided.py openqasm"; do \
	    $(BIN)/python $$target -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(CACHE)/fuzz- || exit 1; done

bench: install ## Ratios against the same work without us; JSON in bench/results
	$(BIN)/python -m bench

docs: install ## The documentation as HTML, warnings are errors
	$(BIN)/sphinx-build -q -W -b html docs docs/_build/html

wheel: install ## Build the wheel (its user needs no Node)
	$(BIN)/jlpm build:prod
	$(BIN)/uv build --quiet --wheel --out-dir dist

clean: ## Remove what the targets above made
	rm -rf $(VENV) $(CACHE) node_modules ui-tests/node_modules lib dist qsec_jupyter/labextension docs/_build
