# Everything a person, CI or a reviewer types. Each target makes its own environment (.venv) first; a second run is fast.
SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
# Node from PyPI, where the machine had none (tools/bootstrap.py).
export PATH := $(CURDIR)/.venv/node/bin:$(PATH)
# What follows `pytest`: make test ARGS="-m cell -x"
ARGS ?=
# Tests wait more than they compute. A file's tests stay together: they share servers and kernels. ARGS="-n 0": one by one.
# In the order of collection: what is slow first, and who shares a browser beside each other.
# A worker that had to be killed ends the run: with another one in its place the others wait for their last tests for ever.
PARALLEL := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --max-worker-restart 0
# What draws in demo and smoke: paraview, vtk, or empty for ParaView where it can be had.
ENGINE ?=
# More words for JupyterLab: make demo LAB_ARGS="--port 9999"
LAB_ARGS ?=

.PHONY: help demo smoke test check audit soak bench bench-quick docs build clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

demo: ## install what is missing, open JupyterLab on a notebook; ENGINE=vtk: without ParaView
	@sh tools/engine.sh demo '$(ENGINE)' sh -c 'set -- "$$1"; [ "$$(id -u)" != 0 ] || set -- --allow-root "$$@"; \
	[ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || set -- --no-browser "$$@"; \
	exec $(BIN)/jupyter lab $(LAB_ARGS) "$$@"' lab

smoke: ## the demo without a person: a headless browser runs it and drags in the view; writes build/smoke.png
	@sh tools/engine.sh smoke '$(ENGINE)' $(BIN)/python tools/smoke.py

test: ## all checks and all tests; ARGS="-m cell" runs pytest with these arguments only
	@sh tools/setup.sh test
ifeq ($(strip $(ARGS)),)
	@status=0; \
	$(MAKE) -k -j2 -O checks || { status=1; echo 'pvlink: checks failed (above); the tests run all the same'; }; \
	$(BIN)/python -m pytest $(PARALLEL) || status=1; \
	exit $$status
else
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)
endif

check: ## format, lint, types, layers, generated files, audits; the viewer's types, tests and size
	@sh tools/setup.sh check
	@$(MAKE) -k -j2 -O checks

# One target a check, so that `make -k checks` shows every failure at once.
CHECKS := format lint types engine-types layers protocol audits js-types js-test js-size
.PHONY: checks $(CHECKS)
checks: $(CHECKS)
format:
	@$(BIN)/ruff format --check .
lint:
	@$(BIN)/ruff check .
types:
	@$(BIN)/mypy
engine-types:
	@$(BIN)/mypy --python-version 3.10 --follow-imports silent --cache-dir .mypy_cache/engine pvlink/engine pvlink/insitu
layers:
	@$(BIN)/lint-imports --no-logo --cache-dir build/import-linter
protocol:
	@$(BIN)/python tools/generate_protocol.py --check
audits:
	@$(BIN)/python tools/audit.py
js-types:
	@cd js && npm run --silent typecheck
js-test:
	@cd js && npm run --silent test
js-size:
	@cd js && npm run --silent size

audit: ## known holes in our code and in what comes with it; also a part of check
	@sh tools/setup.sh check
	@$(MAKE) audits

soak: ## the tests that are long by nature, and three runs of all others in a row
	@sh tools/setup.sh test
	@$(BIN)/python -m pytest -m soak --timeout 7200 $(PARALLEL) $(ARGS)
	@for run in 1 2 3; do $(BIN)/python -m pytest -q $(PARALLEL) || exit 1; done

bench: ## measure what the README claims; writes benchmarks/results.json
	@sh tools/setup.sh bench
	@$(BIN)/python benchmarks/run.py $(ARGS)

bench-quick: ## what the stream is about, shorter and rougher
	@sh tools/setup.sh bench
	@$(BIN)/python benchmarks/run.py --quick $(ARGS)

docs: ## the documentation, into build/docs/index.html
	@sh tools/setup.sh docs
	@$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -d build/doctrees docs build/docs
	@echo "pvlink: build/docs/index.html"

build: ## the wheel, into dist/
	@sh tools/setup.sh build
	@ls dist/*.whl

clean: ## remove everything make has made
	rm -rf .venv build dist pvlink/static pvlink/labextension js/node_modules js/dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
