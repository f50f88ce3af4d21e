# Every path is relative, so that the project may stand in a folder with a space in its name.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed-here
# Processes that the tests use.
JOBS ?= 2

# What was installed in another folder (a copied or moved tree) is installed again.
ifneq ($(shell cat "$(STAMP)" 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif

.PHONY: help install demo test lint bench clean

help:
	@echo "make demo    install into .venv and run the main job (examples/demo.py)"
	@echo "make test    install into .venv and run every test"
	@echo "make lint    ruff and mypy"
	@echo "make bench   speed: every row of the catalogue; against SymPy; growth with the size of the term; filters"
	@echo "make clean   remove .venv and everything generated"

install: $(STAMP)

# PYTHON may be set; otherwise the first of these that is 3.11 or newer.
$(STAMP): pyproject.toml constraints.txt
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        found="$$python"; break; \
	    fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python" >&2; exit 1; \
	fi; \
	if ! "$(BIN)/python" -m pip --version >/dev/null 2>&1; then \
	    echo "Creating $(VENV) with $$found" && "$$found" -m venv "$(VENV)"; \
	fi
	@echo "Installing (some minutes the first time: torch is large)"
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,torch,plot,dask]'
	@printf '%s\n' "$(CURDIR)" > "$(STAMP)"

demo: $(STAMP)
	@"$(BIN)/python" examples/demo.py

test: $(STAMP)
	"$(BIN)/python" -m pytest -n $(JOBS)

lint: $(STAMP)
	"$(BIN)/python" -m ruff check .
	"$(BIN)/python" -m mypy

bench: $(STAMP)
	"$(BIN)/python" benchmarks/bench_derive.py
	"$(BIN)/python" benchmarks/bench_estimators.py
	"$(BIN)/python" benchmarks/bench_filters.py

clean:
	rm -rf "$(VENV)" build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
