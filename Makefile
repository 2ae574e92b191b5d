# Wattmark. `make` lists the targets. Each does its own set-up, once, in .venv (others: .venv-bench, .venv-frameworks).
# PYTHON=python3.12 uses another Python; ARGS="…" passes options on.
PYTHON ?= python3
VENV ?= .venv
BENCH_VENV ?= .venv-bench
FRAMEWORKS_VENV ?= .venv-frameworks
ARGS ?=

PIP := -m pip --disable-pip-version-check --no-input
STEP := tools/step
NODE := tools/pictures/node
TOO_OLD := Wattmark needs Python 3.11 or newer, $(PYTHON) is %d.%d: make PYTHON=python3.11 …
export PYTHON

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run serve test test-long test-gpu soak test-frameworks check bench stack stack-down stack-update stack-rotate stack-backup
.PHONY: stack-restore
.PHONY: stack-check dashboards dashboard-pictures constraints clean

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 23

run: $(VENV)/.debian-run $(VENV)/.installed ## measure the networks and print them, ranked
	@$(VENV)/bin/wattmark fit $(ARGS)

serve: $(VENV)/.debian-run $(VENV)/.installed ## serve runs, windows and scores on http://127.0.0.1:8080 until Ctrl-C
	@$(VENV)/bin/wattmark serve $(ARGS)

test: $(VENV)/.debian-test $(VENV)/.dev $(NODE)/node_modules/.stamp ## run all tests (ARGS="-m 'not slow'": the quick ones)
	@$(VENV)/bin/python -m tools.tests $(ARGS)

test-long: $(VENV)/.debian-test $(VENV)/.dev ## run tests at full length, half an hour; figures go to docs/figures
	@$(VENV)/bin/python -m tools.tests --long $(ARGS)

test-gpu: ## measure what a real NVIDIA board's sensor does, 8 minutes, as JSON (ARGS="--output FILE")
	@$(PYTHON) -m tests.gpu $(ARGS)

soak: $(VENV)/.debian-test $(VENV)/.dev ## an hour of clients and faults, as root; its account goes to docs/figures
	@$(VENV)/bin/python -m tests.soak $(ARGS)

test-frameworks: $(FRAMEWORKS_VENV)/.frameworks ## run the tests of PyTorch and JAX (WATTMARK_ILSVRC=FOLDER: real images)
	@$(FRAMEWORKS_VENV)/bin/python -m pytest tests/runner/worker/test_keras_frameworks.py \
	  tests/runner/worker/test_keras_pretrained.py -rP $(ARGS)

check: $(VENV)/.dev ## lint, format, types and the arrows between the rooms
	@$(STEP) "ruff check" $(VENV)/bin/ruff check
	@$(STEP) "ruff format" $(VENV)/bin/ruff format --check
	@$(STEP) "mypy" $(VENV)/bin/mypy
	@$(STEP) "import-linter" $(VENV)/bin/lint-imports

bench: $(BENCH_VENV)/.debian-bench $(BENCH_VENV)/.bench ## compare with CodeCarbon, Zeus and a bare loop, in one run
	@$(BENCH_VENV)/bin/python -m benchmarks $(ARGS)

stack: ## build and start InfluxDB, Grafana, collector, runner and exporter in containers
	@$(PYTHON) -m tools.stack up

stack-down: ## stop the stack; its data stays
	@$(PYTHON) -m tools.stack down

stack-update: ## newer images, databases and rights; back if it fails (ARGS=--show: only tell)
	@$(PYTHON) -m tools.stack update $(ARGS)

stack-check: $(VENV)/.dev ## run the tests of InfluxDB on your own server (URL=http://HOST:8086)
	@$(VENV)/bin/python -m tests.influxdb '$(URL)' $(ARGS)

stack-rotate: ## change the running stack's passwords and keys
	@$(PYTHON) -m tools.stack rotate

stack-backup: ## copy the stack's data and secrets out (ARGS=FOLDER, a new one)
	@$(PYTHON) -m tools.stack backup $(ARGS)

stack-restore: ## put a copy back in the place of what there is (ARGS=FOLDER)
	@$(PYTHON) -m tools.stack restore $(ARGS)

dashboards: $(VENV)/.dev ## make Grafana's dashboards and alerts from the catalogue
	@$(VENV)/bin/python -m dashboards.generate

dashboard-pictures: $(VENV)/.debian-test $(VENV)/.dev $(NODE)/node_modules/.stamp ## draw every dashboard of demo data
	@$(VENV)/bin/python -m tools.pictures $(ARGS)

constraints: $(VENV)/.dev ## pin and hash what is installed (ARGS=--upgrade: newest versions)
	@$(VENV)/bin/python tools/constraints.py $(ARGS)

clean: ## remove environments, caches and build output; results stay
	rm -rf $(VENV) $(BENCH_VENV) $(FRAMEWORKS_VENV) $(NODE)/node_modules build dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: what is done already is not done again.
.PRECIOUS: %/.created

$(VENV)/.debian-% $(BENCH_VENV)/.debian-%: tools/debian-packages
	@tools/debian-packages $*
	@mkdir -p $(@D) && touch $@

%/.created:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit("$(TOO_OLD)" % v[:2] if v < (3, 11) else 0)'
	@tools/debian-packages venv
	@$(STEP) "Making $(@D)" $(PYTHON) -m venv $(@D)
	@touch $@

$(VENV)/.run: constraints/run.txt | $(VENV)/.created
	@$(STEP) "Installing TensorFlow and other packages, about a minute" \
	  $(VENV)/bin/python $(PIP) install --require-hashes -r constraints/run.txt
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.run
	@$(STEP) "Installing Wattmark" \
	  $(VENV)/bin/python $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: constraints/dev.txt $(VENV)/.installed
	@$(STEP) "Installing test and lint tools" \
	  $(VENV)/bin/python $(PIP) install --require-hashes -r constraints/dev.txt
	@touch $@

# Without npm, Debian's, the tests that need it are skipped.
$(NODE)/node_modules/.stamp: $(NODE)/package-lock.json | $(VENV)/.debian-test
	@! command -v npm >/dev/null || { $(STEP) "Installing Grafana's library of transformations" \
	  npm ci --prefix $(NODE) --ignore-scripts --no-audit --no-fund --loglevel=error && touch $@; }

$(BENCH_VENV)/.bench: constraints/bench.txt pyproject.toml | $(BENCH_VENV)/.created
	@$(STEP) "Installing the tools to compare with" \
	  $(BENCH_VENV)/bin/python $(PIP) install --require-hashes -r constraints/bench.txt
	@$(STEP) "Installing Wattmark" \
	  $(BENCH_VENV)/bin/python $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# On top of what $(VENV) holds. Which wheel of PyTorch fits depends on the accelerator: it is pip's choice, and has no
# hash here.
$(FRAMEWORKS_VENV)/.frameworks: $(VENV)/.dev | $(FRAMEWORKS_VENV)/.created
	@$(VENV)/bin/python -c 'import site; print(*site.getsitepackages())' \
	  >`$(FRAMEWORKS_VENV)/bin/python -c 'import site; print(*site.getsitepackages())'`/wattmark.pth
	@$(STEP) "Installing PyTorch, JAX and Wattmark" $(FRAMEWORKS_VENV)/bin/python $(PIP) \
	  install --no-build-isolation --editable '.[torch,jax]'
	@touch $@
