# What a newcomer runs, and CI: everything happens in .venv, made on first use.

PYTHON ?= python3
VENV ?= .venv
EXTRAS ?= cpu,test
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.installed
SAMPLE := media/sample.mp4

.DEFAULT_GOAL := help
.PHONY: help install sample demo test test-engines test-yolo check acceptance docs-test bench clean

help: ## what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | \
	    awk -F'|' '{ printf "make %-12s %s\n", $$1, $$2 }'

install: $(STAMP) ## the virtual environment

$(STAMP): pyproject.toml analyzer/_version.py
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	@touch $@

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
	$(RUN) -m pytest --cov --cov-report=term

check: $(STAMP) ## style and types
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

acceptance: $(STAMP) ## slow tests, on real processes
	$(RUN) -m pytest -m acceptance

docs-test: $(STAMP) ## run every command of the documents
	$(RUN) -m pytest -m 'docs or acceptance' tests/docs tests/test_python_docs.py

test-engines: ## tests on local clusters of Dask and Ray, in .venv-engines
	$(MAKE) VENV=.venv-engines EXTRAS=cpu,test,engines .venv-engines/.installed
	.venv-engines/bin/python -m pytest -m acceptance tests/acceptance/test_engines.py

test-yolo: ## tests with ultralytics, in .venv-yolo (several GB)
	$(MAKE) VENV=.venv-yolo EXTRAS=cpu,test,yolo .venv-yolo/.installed
	.venv-yolo/bin/python -m pytest -m yolo tests/yolo

bench: $(STAMP) ## measure everything, beside its peers; writes the README's table
	$(RUN) -m benchmarks

clean: ## remove what the other targets made
	rm -rf $(VENV) .venv-bench .venv-engines .venv-yolo build *.egg-info results media/sample.* media/jobs.csv
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
