"""Suites: what a pack should decide about made-up subscribers, written in YAML by the people who answer for the pack.

`read_suites` gives the files beside a pack, `Bench` the pack in every form that suites ask for, `load` the tests, `run` what they came to.
"""

from app.workbench.suites.bench import Bench
from app.workbench.suites.loading import Suites, load, read_suites
from app.workbench.suites.running import Result, run

__all__ = ["Bench", "Result", "Suites", "load", "read_suites", "run"]
