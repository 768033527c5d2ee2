"""Pages of runs of all scenarios, and a real Chromium to open them in; without one these tests are skipped, and say so.

Where LINKPROOF_PICTURES names a folder, pictures of the pages are left there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.page.browser import Browser, start

LINKPROOF = (sys.executable, "-c", "from harness.cli import main; main()")
INSTALL = """\
The report was not opened in a browser: there is no Chromium with its driver. To have it opened:
  apt-get install chromium chromium-driver"""
RUN_S = 120.0  # it takes three seconds of a free core
# Tells of an interruption after 3 s, and is right in all else.
HASTY_CORE = """
from harness.reference.client_core import ClientCore
from harness.spec.timing import Timing

class HastyCore(ClientCore):
    def __init__(self, app_id, *, instance, jitter):
        super().__init__(app_id, instance=instance, jitter=jitter, timing=Timing(interruption_s=3.0))
"""


def _found(*names: str) -> str:
    return next((path for path in map(shutil.which, names) if path), "")


@pytest.fixture(scope="session")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    chromium, driver = _found("chromium", "chromium-browser", "google-chrome"), _found("chromedriver")
    if not chromium or not driver:
        manager = request.config.pluginmanager
        reporter, capture = manager.get_plugin("terminalreporter"), manager.get_plugin("capturemanager")
        if reporter is not None and capture is not None:  # a worker of xdist has no reporter
            with capture.global_and_fixture_disabled():
                reporter.ensure_newline()
                reporter.write_line(INSTALL, yellow=True)
        pytest.skip(INSTALL)
    browser = start(chromium, driver)
    yield browser
    browser.close()


@pytest.fixture
def page(browser: Browser) -> Browser:
    """A browser as wide as a desk, in the light, which has seen nothing yet."""
    browser.begin()
    return browser


def _certified(folder: Path, *options: str) -> Path:
    """The page that certify leaves of all scenarios in virtual time."""
    ended = subprocess.run(
        [*LINKPROOF, "certify", "--virtual", "--run-dir", "run", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_S,
    )
    assert ended.stdout.splitlines()[-1] == "report: run/report.html", ended.stdout + ended.stderr
    return folder / "run" / "report.html"


@pytest.fixture(scope="session")
def passing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run in which everything passes."""
    return _certified(tmp_path_factory.mktemp("passing"))


@pytest.fixture(scope="session")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run of a client that is wrong in one thing."""
    folder = tmp_path_factory.mktemp("failing")
    (folder / "hasty.py").write_text(HASTY_CORE, encoding="utf-8")
    return _certified(folder, "--core", "hasty:HastyCore")


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages go."""
    given = os.environ.get("LINKPROOF_PICTURES")
    folder = Path(given) if given else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
