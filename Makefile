# make lab    set up, then open JupyterLab on the first lesson
# make lab LANGUAGE=zh_CN  the same in Chinese: JupyterLab, the lessons and all that is said
# whole course only
# make class  the same, with the instructor's panels: Formgrader and Create Assignment
# make test   set up with the test tools, then run the whole suite
# make test-hub  a class on a real JupyterHub, in a browser: as root, on a machine to spare
# make students  the copy for students, without solutions: students.zip, and the branch students
# make build  rebuild everything that is derived from solutions/ and autograder/exercises/
# make fix    format the code, and make build
# make lock   choose the newest versions that pyproject.toml allows, with their hashes
# make site   the website: the lessons to read, the documents, and a place to work in the browser
# make lite   only that place (JupyterLite): a folder that any web server serves
# end
# make clean  remove the set-up (.venv) and the caches; your notebooks and hand-ins stay
#
# Another Python:            PYTHON=python3.12 make lab
# Options for JupyterLab:    make lab LAB_ARGS="--no-browser --port 8899"
# whole course only
# Pyodide from a folder or archive of yours:  make site PYODIDE=../pyodide.tar.bz2
# Options for pytest:        make test TEST_ARGS="-k softmax -n 0"
# end

# Not exported: scripts/set_up.py looks whether the user named a Python.
PYTHON ?= python3
LAB_ARGS ?=
TEST_ARGS ?=
IN_VENV := .venv/bin/python
# LANGUAGE in the environment is for other programs, too: only one on the command line counts.
ASKED := $(if $(filter command,$(firstword $(origin LANGUAGE))),--language $(LANGUAGE))

.PHONY: lab clean setup
.DEFAULT_GOAL := help

.PHONY: help
help:
	@sed -n '/^# whole course only$$/d;/^# end$$/d;s/^# \{0,1\}//p;/^$$/q' Makefile

lab: setup
	@$(IN_VENV) scripts/open_lab.py $(ASKED) $(LAB_ARGS)

# whole course only
.PHONY: class test test-hub students build fix lock lite site setup-test

class: setup
	@$(IN_VENV) scripts/open_lab.py --instructor $(ASKED) $(LAB_ARGS)

# One thread for each NumPy: the tests run side by side already.
test: setup-test
	@echo "Running the tests."
	@OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(IN_VENV) -m pytest -n 2 --dist loadfile $(TEST_ARGS)

test-hub: setup-test
	@npm install --silent --no-save --prefix .venv/hub configurable-http-proxy@5
	@$(IN_VENV) -m pytest -m hub -n 0 tests/test_hub.py $(TEST_ARGS)

students: setup
	@$(IN_VENV) scripts/students_copy.py

build: setup-test
	@$(IN_VENV) -m autograder build

fix: setup-test
	@.venv/bin/ruff check --fix . && .venv/bin/ruff format .
	@$(IN_VENV) -m autograder build

lock: setup-test
	@$(IN_VENV) scripts/lock.py

lite site: setup-test
	@$(IN_VENV) -m website $@ $(if $(PYODIDE),--pyodide "$(PYODIDE)")

setup-test:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) on this machine. Install Python 3.11 or newer, or name one: PYTHON=python3.12 make test" >&2; exit 1; }
	@$(PYTHON) scripts/set_up.py --test

# end

setup:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) on this machine. Install Python 3.11 or newer, or name one: PYTHON=python3.12 make lab" >&2; exit 1; }
	@$(PYTHON) scripts/set_up.py $(ASKED)

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
