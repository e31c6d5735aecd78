# make test          everything that CI runs, in .venv with the pinned requirements; ends with pytest's closing line
# make demo          build a scratch repository of real models and walk through the hooks, notes and diffs
# make test-oracles  install torch and TensorFlow and compare with them (heavy); with ARGS=--update-golden it writes the
#                    golden digests that `make test` checks without them
# make bench         the benchmarks
# make fuzz          the property tests and fuzz targets with other examples every time, and many more of them
# make lint          the linters alone
# make lock          write the requirement locks anew
# make clean         remove .venv and every cache of the checkout
#
# Needs git, make and Python >= 3.11 (PYTHON=… chooses one). uv is used when it is there, else venv and pip.
# ARGS="…" goes to pytest.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
UV := $(shell uv --version >/dev/null 2>&1 && echo uv)
VENV := .venv
BIN := $(VENV)/bin
ORACLES := .venv-oracles
TORCH := 2.13.0
WORKERS ?= 2
ARGS ?=

# A byte-compiled environment starts twice as fast, and a benchmark of one that is not would measure the compiler.
export UV_COMPILE_BYTECODE := 1
# Trust what the machine trusts, as pip does: behind a company's proxy uv's own roots know no one.
export UV_SYSTEM_CERTS := 1
export UV_NATIVE_TLS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export UV_NO_PROGRESS := 1

SOURCES := $(shell git ls-files -co --exclude-standard -- pyproject.toml README.md LICENSE gitops_model hooks docs 2>/dev/null | sed 's/ /\\ /g')

.PHONY: test demo test-oracles bench fuzz lint lock clean install models tools

test: install models tools
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: install
	$(BIN)/pytest tests/quality $(ARGS)

test-oracles: $(ORACLES)/installed models
	$(ORACLES)/bin/pytest tests/oracles $(ARGS)

fuzz: install models tools
	GITOPS_MODEL_PROFILE=fuzz $(BIN)/pytest -n $(WORKERS) --dist worksteal tests/property $(ARGS)

demo: install models tools
	docs/demo/run

bench: install models tools
	status=0
	for bars in run diff_bars history_bars; do $(BIN)/python benchmarks/$$bars.py $(ARGS) || status=1; done
	exit $$status

install: $(VENV)/installed

models: $(VENV)/requirements
	@$(BIN)/python tests/support/models.py fetch
	@PYTHONPATH=tests $(BIN)/python tests/support/openapi.py fetch
	@PYTHONPATH=tests $(BIN)/python tests/support/mermaid.py fetch

tools:
	@.ci/tools

# --- the environment -----------------------------------------------------------------------------------------------
%/python-version:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
		echo "make: $(PYTHON) is not Python >= 3.11; choose one with PYTHON=python3.12" >&2; exit 1; }
	rm -rf $*
	$(if $(UV),uv venv -q --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $*,$(PYTHON) -m venv $*)
	$*/bin/python --version > $@

PIP_INSTALL = $(if $(UV),uv pip install -q --python $(@D)/bin/python,$(@D)/bin/pip install -q --no-warn-script-location)

$(VENV)/requirements: requirements-test.txt $(VENV)/python-version
	$(PIP_INSTALL) --require-hashes -r $<
	touch $@

$(ORACLES)/requirements: requirements-oracles.txt $(ORACLES)/python-version
	$(PIP_INSTALL) --require-hashes -r $<
	# pip, not uv: it takes a CPU build from wherever the machine's pip is told to look.
	$(@D)/bin/pip install -q torch==$(TORCH)
	touch $@

.PRECIOUS: %/python-version %/requirements %/installed

%/installed: %/requirements $(SOURCES)
	rm -rf .cache/dist
	wheel=$$($*/bin/python tests/support/wheel.py .cache/dist)
	$*/bin/pip install -q --no-deps --no-index --force-reinstall "$$wheel"
	touch $@

# --- upkeep --------------------------------------------------------------------------------------------------------
COMPILE := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock"

lock:
	$(COMPILE) pyproject.toml --extra review --extra gpu --extra run --group test -o requirements-test.txt
	$(COMPILE) pyproject.toml --extra review --group oracles -o requirements-oracles.txt
	$(COMPILE) pyproject.toml --extra review --group action -o requirements-action.txt
	$(COMPILE) pyproject.toml --extra run -c requirements-action.txt -o requirements-probe.txt

clean:
	rm -rf $(VENV) $(ORACLES) .cache .pytest_cache .hypothesis .ruff_cache build *.egg-info
