# Every target finds its own uv and Python: see scripts/bootstrap.py.
# INTERPRETER=3.11 asks for one Python, DJANGO=django52 for one Django, ARGS=... goes to the command.
.PHONY: help demo serve test all environment check bench bench-quick bench-plans bench-serving bench-tests bench-ninja bench-drf bench-strawberry conformance conformance-all conformance-drf browser test-bench test-wheels test-oldest works-with works-with-engines lock clean

INTERPRETER ?=
DJANGO ?=
PORT ?= 8000
# Each process has databases of its own. Tests wait for the server half of the time.
JOBS ?= 2
ARGS ?=

BOOTSTRAP = python3 scripts/bootstrap.py $(if $(INTERPRETER),--interpreter $(INTERPRETER))
RUN = $(BOOTSTRAP) run --no-default-groups $(if $(DJANGO),--group $(DJANGO))
# No release of django-async-backend fits Django 4.2.
ASYNC_BACKEND = $(if $(filter django42,$(DJANGO)),,--group async-backend)
WITH_POSTGRES = python scripts/with_postgres.py
MANAGE = python examples/newsroom/manage.py

help:
	@echo "make demo   start a PostgreSQL, fill the example project, give a guided tour"
	@echo "make serve  the same, then serve it at PORT ($(PORT)) until Ctrl-C"
	@echo "make test   the tests, against a PostgreSQL of their own (or DATABASE_URL)"
	@echo "make all    every test on every Python and Django, the whole suites, the browser (hours)"
	@echo "make works-with  tests with other packages that keep values in thread-locals"
	@echo "make works-with-engines  tests with PostGIS and other packages' engines (needs postgresql-postgis)"
	@echo "make test-bench  the tests of the benchmarks"
	@echo "make test-wheels the packages, built and installed with pip into empty environments (needs PyPI)"
	@echo "make test-oldest the tests of plans and redirects, on the oldest release of each Django"
	@echo "make check  lint, formatting, types, layers, the documentation's examples"
	@echo "make bench  everything beside what one could use instead, and docs/performance.md (15 minutes; needs wrk)"
	@echo "make bench-quick  its operations and pages only, in few rounds (2 minutes; needs wrk)"
	@echo "make bench-plans  what plans save (about 4 minutes)"
	@echo "make bench-serving  what a request costs, beside Django's own handler (about 3 minutes; needs wrk)"
	@echo "make bench-tests  what a test that rolls back saves, beside one that empties tables"
	@echo "make bench-ninja    what an endpoint of Django Ninja's costs, beside stock Ninja (about 4 minutes; needs wrk)"
	@echo "make bench-drf      what a request to DRF costs, beside stock DRF, adrf and aiodrf (about 5 minutes; needs wrk)"
	@echo "make bench-strawberry  what an operation of strawberry-django's costs, beside stock (about 3 minutes; needs wrk)"
	@echo "make conformance      Django's own tests, in four modes (APPS=..., MODES=...)"
	@echo "make conformance-all  the same on every supported Django, both engines"
	@echo "make conformance-drf  DRF's own tests, each view a coroutine function (ARGS=tests/test_views.py)"
	@echo "make browser  the browsable API of the example in a real browser (needs chromium)"
	@echo "make lock   bring uv.lock up to date"
	@echo "make clean  remove environments and caches"

demo:
	@$(RUN) --group demo $(WITH_POSTGRES) $(MANAGE) demo $(ARGS)

serve:
	@$(RUN) --group demo $(WITH_POSTGRES) $(MANAGE) serve --port $(PORT) $(ARGS)

test:
	$(RUN) --group test $(ASYNC_BACKEND) $(WITH_POSTGRES) --fast pytest -n $(JOBS) --dist worksteal $(ARGS)

# scripts/ci.py says what it runs, and what .ci/run does.
all:
	@python3 -m scripts.ci all

# What other targets would install in passing, before some of them run side by side.
WITH ?= dev
environment:
	$(RUN) $(addprefix --group ,$(WITH)) $(ASYNC_BACKEND) python --version

# Apart from `make test`: its packages are many, and one project has them all.
works-with:
	$(RUN) --group works-with $(WITH_POSTGRES) --fast pytest -c tests/works_with/pytest.ini tests/works_with $(ARGS)

# Each engine in a process of its own. That of PostGIS needs Debian's packages: see the script.
ENGINES ?= postgis prometheus psqlextra tenants
WITH_ENGINES = $(BOOTSTRAP) run --no-default-groups --group works-with-engines python scripts/with_postgis.py

works-with-engines:
	@for engine in $(ENGINES); do \
		WORKS_WITH_ENGINE=$$engine $(WITH_ENGINES) pytest -c tests/works_with_engines/pytest.ini \
			tests/works_with_engines/test_$$engine.py $(ARGS) || exit 1; \
	done

check:
	$(RUN) --group dev ruff check .
	$(RUN) --group dev ruff format --check .
	$(RUN) --group dev mypy
	$(RUN) --group dev lint-imports
	$(RUN) --group dev python scripts/check_docs.py

# APPS="basic lookup" restricts it, MODES="bridge native" too.
MODES ?= bridge native async serving
SUITE = $(RUN) --group conformance $(ASYNC_BACKEND) $(WITH_POSTGRES) --fast python -m tests.django_suite

conformance:
	$(SUITE) --modes "$(MODES)" --jobs 2 --page --baseline $(ARGS)

conformance-all: conformance
	$(MAKE) conformance-one INTERPRETER=3.10 DJANGO=django42 ARGS=--baseline
	$(MAKE) conformance-one INTERPRETER=3.11 DJANGO=django52 ARGS=--baseline
	$(MAKE) conformance-one INTERPRETER=3.12 DJANGO=django60 ARGS=--baseline
	TURBO_TEST_ENGINE=django_async_backend.db.backends.postgresql \
		$(MAKE) conformance-one INTERPRETER=3.13 DJANGO=django61 ARGS=--baseline
	TURBO_SERVER_SIDE_BINDING=1 \
		$(MAKE) conformance-one INTERPRETER=3.13 DJANGO=django61 ARGS=--baseline

.PHONY: conformance-one
conformance-one:
	$(SUITE) --modes "$(MODES)" --jobs 2 $(ARGS)

conformance-drf:
	$(RUN) --group conformance $(WITH_POSTGRES) --fast python -m tests.drf_suite $(ARGS)

# The system's Chromium: apt-get install chromium chromium-driver
browser:
	$(RUN) --group browser $(WITH_POSTGRES) --fast python -m pytest \
		-c examples/newsroom/browser/pytest.ini examples/newsroom/browser $(ARGS)

BENCH = $(RUN) --group bench --group async-backend $(WITH_POSTGRES) --fast python -m benchmarks

bench:
	$(BENCH) run --page $(ARGS)

bench-quick:
	$(BENCH) run --quick $(ARGS)

bench-plans:
	$(BENCH) run --name plans --parts operations building --cases get newest four_conditions --tasks 20 \
		--systems turbo turbo-without-plans django published tortoise psycopg asyncpg \
		--rounds 7 --seconds 1 --no-fresh $(ARGS)

bench-serving:
	$(BENCH) run --name serving --parts pages --pages empty middleware get list session \
		--servers django turbo --page-rounds 5 --page-seconds 3 $(ARGS)

# Apart from `make test`: it needs all that the benchmarks compare with.
test-bench:
	$(RUN) --group test --group bench --group async-backend $(WITH_POSTGRES) --fast pytest benchmarks/tests $(ARGS)

# Every supported Django on each Python of INTERPRETERS; ARGS="--packages core --djangos 6.1" restricts it.
test-wheels:
	$(RUN) --group demo $(WITH_POSTGRES) --fast python -m tests.wheels $(ARGS)

# Where Django's own names are used that a later release of a series may have brought.
OLDEST = tests/unit/test_checks.py tests/unit/test_driver.py tests/unit/test_private_names.py \
	tests/integration/test_connection_settings.py tests/integration/test_model.py tests/integration/test_plan_hydrate.py \
	tests/integration/test_plan_hydrate_classes.py tests/integration/test_plan_semantics.py \
	$(wildcard tests/integration/test_redirect*.py)

test-oldest:
	$(MAKE) test-oldest-one INTERPRETER=3.10 DJANGO=django42 OLDEST_DJANGO=4.2
	$(MAKE) test-oldest-one INTERPRETER=3.11 DJANGO=django52 OLDEST_DJANGO=5.2
	$(MAKE) test-oldest-one INTERPRETER=3.12 DJANGO=django60 OLDEST_DJANGO=6.0
	$(MAKE) test-oldest-one INTERPRETER=3.12 DJANGO=django61 OLDEST_DJANGO=6.1

.PHONY: test-oldest-one
test-oldest-one:
	$(RUN) --group test $(ASYNC_BACKEND) --with django==$(OLDEST_DJANGO) $(WITH_POSTGRES) --fast \
		python -m pytest -n $(JOBS) --dist worksteal $(OLDEST) $(ARGS)

bench-tests:
	$(RUN) --group test $(WITH_POSTGRES) --fast python -m benchmarks.rollback $(ARGS)

bench-drf:
	$(RUN) --group bench $(WITH_POSTGRES) --fast python -m benchmarks.drf $(ARGS)

bench-ninja:
	$(RUN) --group bench $(WITH_POSTGRES) --fast python -m benchmarks.ninja $(ARGS)

bench-strawberry:
	$(RUN) --group bench $(WITH_POSTGRES) --fast python -m benchmarks.strawberry $(ARGS)

lock:
	$(BOOTSTRAP) lock

clean:
	rm -rf .venv-uv .venvs .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
