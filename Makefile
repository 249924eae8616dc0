# Two commands are enough: `make lab` to study, `make test` to check everything.
.DEFAULT_GOAL := help
.PHONY: help lab lab-repository env test check test-env peers notebooks exercises mutation-report supported lock lock-site site site-check typing-along slides slides-check handouts workshops hub lock-hub

python := .venv/bin/python
# Jupyter refuses to run as root unless told; in a container root is who you are.
allow_root := $(if $(filter 0,$(shell id -u)),--allow-root)

help:
	@echo "make lab        build the environment if need be and open your copy of the course, my-course/, in JupyterLab"
	@echo "make test       build the environment if need be and check everything"
	@echo "make env        only build the environment, in .venv"
	@echo ""
	@echo "for those who teach:"
	@echo "make slides     slides of all chapters, build/slides (needs npm, once)"
	@echo "make handouts   two pages a chapter to print, the ten questions and a form, build/handouts (needs Chromium)"
	@echo "make hub        a JupyterHub for a room, and its board (needs npm, once; as root, so that people are kept apart)"
	@echo "make typing-along  the chapters with their key cells blank, build/typing-along"
	@echo ""
	@echo "for contributors:"
	@echo "make check      lint, types and the fast tests of what you changed, in under a minute"
	@echo "make lab-repository  open the repository itself in JupyterLab, to change the course"
	@echo "make notebooks  run every notebook again and store its outputs"
	@echo "make exercises  generate exercises/ from solutions/"
	@echo "make mutation-report  write docs/mutation-report.md: which wrong answers the checks catch"
	@echo "make supported  write docs/supported.md: which functions the engine differentiates"
	@echo "make peers      add PyTorch, JAX, ... to the environment, as witnesses and for benchmarks"
	@echo "make site       build the website, build/site, in an environment of its own (needs npm, once)"
	@echo "make site-check build it and open every page in a browser"
	@echo "make slides-check  open every slide in a browser, light and dark"
	@echo "make workshops  bring the tables of the workshops' plans up to date"
	@echo "make lock       resolve the dependencies again (needs uv); make lock-site and lock-hub for the website's and the hub's"

jupyterlab := $(python) -m jupyterlab --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb $(allow_root)

lab: env
	@$(python) -m coursepkg start my-course
	@$(jupyterlab) --ServerApp.root_dir=my-course

lab-repository: env
	@$(jupyterlab) --ServerApp.root_dir=.

env:
	@sh tools/environment.sh requirements.lock

test-env:
	@sh tools/environment.sh requirements-test.lock

test: test-env
	@$(python) tools/test.py

check: test-env
	@$(python) -m tools.check

peers: test-env
	@$(python) -m pip --version >/dev/null 2>&1 || $(python) -m ensurepip
	$(python) -m pip install -r requirements-peers.txt

notebooks: test-env
	@$(python) tools/notebooks.py store

exercises: test-env
	@$(python) -m coursepkg grade build

mutation-report: test-env
	@$(python) tests/grading/mutation_report.py

supported: test-env
	@$(python) tools/supported.py

site:
	@$(or $(PYTHON),python3) tools/site.py $(if $(COMPLETE),--complete)

site-check: test-env site
	@COURSEPKG_SITE=build/site $(python) -m pytest -q -rs tests/site
	@$(python) -m tools.site_budget build/site

typing-along: test-env
	@$(python) -m tools.typing_along

slides: test-env
	@$(python) -m tools.slides

slides-check: slides
	@COURSEPKG_SLIDES=build/slides $(python) -m pytest -q -rs tests/teaching/test_slides_browser.py

handouts: test-env
	@$(python) -m tools.handouts

workshops: test-env
	@$(python) -m tools.workshops

# ROOM=FOLDER NAMES=FILE ADMIN=name ADDRESS=0.0.0.0 PORT=8000 CERT=FILE KEY=FILE MEMORY=1G IDLE=60 PLAIN=yes TRUSTED=yes
hub:
	@$(or $(PYTHON),python3) tools/hub.py $(if $(ROOM),--folder "$(ROOM)") $(if $(NAMES),--names "$(NAMES)") \
	  $(if $(ADMIN),--admin "$(ADMIN)") $(if $(ADDRESS),--address "$(ADDRESS)") $(if $(PORT),--port "$(PORT)") \
	  $(if $(CERT),--certificate "$(CERT)") $(if $(KEY),--key "$(KEY)") $(if $(MEMORY),--memory "$(MEMORY)") \
	  $(if $(IDLE),--idle "$(IDLE)") $(if $(PLAIN),--plain) $(if $(TRUSTED),--trusted)

# The file names no index and no machine, and serves Linux, macOS and Windows. The learner's lock is cut
# from the testers' one, so that both hold the same versions.
uv_lock := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
lock:
	$(uv_lock) --upgrade pyproject.toml --extra course --extra grading --group build --group test --output-file requirements-test.lock
	$(uv_lock) pyproject.toml --extra course --extra grading --group build --constraint requirements-test.lock --output-file requirements.lock

lock-site:
	@$(uv_lock) pyproject.toml requirements-site.in --extra course --extra grading --group build --constraint requirements-test.lock --output-file requirements-site.lock
	@uv pip compile --quiet --python-version 3.14 --no-deps --generate-hashes --no-emit-index-url --no-header --no-annotate requirements-browser.in --output-file requirements-browser.lock

lock-hub:
	@$(uv_lock) pyproject.toml requirements-hub.in --extra course --extra grading --group build --constraint requirements-test.lock --output-file requirements-hub.lock
