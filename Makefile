# Needs Python 3.11 or newer and a C compiler (for durable-rules, Python 3.11 and 3.12 only); everything else goes into .venv.
# Another Python: make test PYTHON=python3.12      One test file: make test TESTS=tests/unit/test_language.py
# Rebuild the pins: make pins                      To newer versions: make pins UPGRADE=--upgrade

MAKEFLAGS += --no-print-directory
.SILENT:
.DELETE_ON_ERROR:
.PHONY: help run test fuzz lint image bench bench-record bench-http bench-campaign openapi pins clean FORCE

VENV  := .venv
BIN   := $(VENV)/bin
PIP   := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
TESTS ?=
# One process more than there are cores: a quarter of the time tests wait for services, for clocks, and for the disk.
MANY  := -q -n $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1))) --dist worksteal

# The first of these that is new enough; `make PYTHON=…` overrides it. An existing .venv stays unless another Python is asked for.
version = $(shell $(1) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
current := $(if $(wildcard $(BIN)/python),$(call version,$(BIN)/python))
wanted  := $(if $(PYTHON),$(call version,$(PYTHON)),$(current))
PYTHON  ?= $(shell for p in python3 python3.12 python3.11 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# The extra `spark` is half a gigabyte, and of use only with Java: its tests run where there is one that is new enough, and skip elsewhere.
java  := $(shell "$${JAVA_HOME:+$$JAVA_HOME/bin/}java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
spark := $(shell [ "0$(java)" -ge 17 ] && echo $(VENV)/.spark)

help:
	echo 'make run      start the service on an embedded SQLite file and print a curl line to try'
	echo 'make test     lint, then all the tests                make lint     ruff, mypy, one-way imports'
	echo 'make fuzz     the API against its document, longer: make fuzz CASES=1000'
	echo 'make bench    measure the engine                      make openapi  write openapi/ from the code'
	echo 'make bench-record    measure the record: some minutes and gigabytes'
	echo 'make bench-http      measure the HTTP interface: five minutes, with wrk'
	echo 'make bench-campaign  measure campaigns over a million: five minutes and some gigabytes'
	echo 'make image    perform the steps of the Dockerfile in a fresh folder, and run what they make'
	echo 'make pins     resolve requirements/ again             make clean    remove what was made, the records not'

run: $(VENV)/.run
	exec $(BIN)/wanliu serve

test: lint $(spark)
	$(BIN)/python -m pytest $(MANY) $(TESTS)

lint: $(VENV)/.test
	$(BIN)/ruff check --quiet --output-format concise .
	$(BIN)/ruff format --check --quiet . || { echo 'not formatted; run: $(BIN)/ruff format .' >&2; exit 1; }
	$(BIN)/mypy --no-error-summary
	out=$$($(BIN)/lint-imports 2>&1) || { echo "$$out" >&2; exit 1; }

CASES ?= 300
fuzz: $(VENV)/.test
	WANLIU_FUZZ_CASES=$(CASES) $(BIN)/python -m pytest $(MANY) tests/contract/test_schemathesis.py

bench: $(VENV)/.bench
	$(BIN)/python bench/engine.py

bench-http: $(VENV)/.test
	$(BIN)/python bench/http.py

bench-record: $(VENV)/.test
	$(BIN)/python bench/record.py

bench-campaign: $(VENV)/.test $(VENV)/.bench
	$(BIN)/python bench/campaign.py --postgres

image: $(VENV)/.test
	$(BIN)/python -m tests.image.perform

openapi: $(VENV)/.run
	$(BIN)/python -m app.api.export

$(VENV)/pyvenv.cfg: $(if $(and $(current),$(filter $(current),$(wanted))),,FORCE)
	$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'Wanliu needs Python 3.11 or newer; $(or $(PYTHON),python3) is older or not there. Try: make $(or $(MAKECMDGOALS),run) PYTHON=python3.12' >&2; exit 1; }
	echo 'making $(VENV) with $(PYTHON)'
	$(PYTHON) -m venv --clear $(VENV)

# Without build isolation nothing unpinned is fetched: durable-rules and the project itself are built by the setuptools of build.txt.
$(VENV)/.run $(VENV)/.test $(VENV)/.bench $(VENV)/.spark: $(VENV)/.%: requirements/%.txt requirements/build.txt pyproject.toml $(VENV)/pyvenv.cfg
	echo 'installing requirements/$*.txt'
	$(PIP) install --require-hashes -r requirements/build.txt
	$(PIP) install --require-hashes --no-build-isolation --use-pep517 -r $<
	$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

# requirements/run.txt constrains the other files, so that one .venv serves all of them.
compile = $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header $(UPGRADE)

pins: $(VENV)/pyvenv.cfg
	$(PIP) install 'uv>=0.13'
	$(compile) pyproject.toml -o requirements/run.txt
	$(compile) -c requirements/run.txt pyproject.toml --group test -o requirements/test.txt
	$(compile) -c requirements/run.txt pyproject.toml --group bench -o requirements/bench.txt
	$(compile) -c requirements/run.txt -c requirements/test.txt pyproject.toml --extra spark -o requirements/spark.txt
	$(compile) --group build -o requirements/build.txt
	wc -l requirements/*.txt

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
