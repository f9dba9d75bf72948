# Everything sets itself up: a fresh machine needs Python 3.11 or later, and for the browser parts
# Node 20 or later and apt. On Windows see "Without make" in README.md.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3.14 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# A file's tests stay on one worker, and files in their order, so that a folder's servers and what a
# browser script saw are made once; xdist would begin with the longest files of whatever folder.
# ORDER= shuffles them: it takes more time and memory.
ORDER ?= -p no:randomly --no-loadscope-reorder
BUNDLE := addin/static/workbench/dist/main.js

.PHONY: workbench workbench-if-npm demo serve test check lint types contracts javascript bench bench-page lock audit clean system

demo: $(VENV)/ready workbench-if-npm
	$(BIN)/tilt demo

serve: $(VENV)/ready workbench-if-npm
	$(BIN)/tilt serve

test: $(VENV)/ready node_modules/ready system workbench
	MALLOC_ARENA_MAX=2 $(BIN)/pytest -n 2 --dist loadfile $(ORDER)

workbench: $(BUNDLE)

check: lint types contracts javascript test

lint: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/ready
	$(BIN)/mypy

contracts: $(VENV)/ready
	PYTHONPATH=addin $(BIN)/lint-imports

javascript: node_modules/ready
	npm run --silent check

# ROWS="A C" measures some of them, PEERS=none or PEERS=bt,cvxpy leaves others out.
bench: $(VENV)/ready
	PYTHONPATH=server $(BIN)/python -m bench.run $(ROWS) $(if $(PEERS),--peers $(PEERS))

# What the last bench measured, into the help.
bench-page: $(VENV)/ready
	PYTHONPATH=server $(BIN)/python -m bench.page

lock: $(VENV)/ready
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra dev \
		--no-header --upgrade pyproject.toml -o requirements.lock
	npm install --package-lock-only --omit-lockfile-registry-resolved

# Fails, too, where the advisories cannot be reached: an audit of nothing is none.
audit: $(VENV)/ready
	$(BIN)/python server/audit.py

clean:
	rm -rf $(VENV) node_modules

# A stamp is newer than what it was made from, so a changed lock file installs again.
$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; set PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

node_modules/ready: package.json package-lock.json
	npm ci --no-audit --no-fund --silent
	@touch $@

$(BUNDLE): node_modules/ready package.json $(shell find addin/workbench addin/entra -type f)
	npm run --silent build
	@touch $@

# Everything but the page /workbench works without npm.
workbench-if-npm:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory workbench; \
	else echo "npm is not here, so /workbench is not built: install Node 20 or later."; fi

# Chromium runs the add-in's JavaScript, LibreOffice opens the workbooks, poppler draws their pages.
system:
	@missing=""; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v soffice >/dev/null || missing="$$missing libreoffice-calc"; \
	command -v pdftoppm >/dev/null || missing="$$missing poppler-utils"; \
	if [ -n "$$missing" ]; then \
		echo "Installing$$missing"; \
		$(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq $$missing; \
	fi
