"""Finds a broker and an interpreter with the client; without them these tests are skipped, and say so."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest

INTERPRETER = "LINKPROOF_MQTT_PYTHON"
INSTALL = f"""\
MQTT was not tested: {{}} is not here. To have it tested:
  apt-get install mosquitto
  python3 -m venv mqtt && mqtt/bin/pip install -r examples/mqtt/requirements.txt
  {INTERPRETER}=mqtt/bin/python pytest tests/integration/mqtt"""


@pytest.fixture
def mqtt_python(request: pytest.FixtureRequest) -> str:
    """The interpreter for the adapter: the one that is named in the environment, or this one."""
    chosen = os.environ.get(INTERPRETER, "")
    has_client = bool(chosen) or importlib.util.find_spec("paho") is not None
    has_broker = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") is not None
    if not (has_client and has_broker):
        said = INSTALL.format("paho-mqtt" if has_broker else "mosquitto")
        manager = request.config.pluginmanager
        reporter, capture = manager.get_plugin("terminalreporter"), manager.get_plugin("capturemanager")
        if reporter is not None and capture is not None:  # a worker of xdist has no reporter
            with capture.global_and_fixture_disabled():
                reporter.ensure_newline()
                reporter.write_line(said, yellow=True)
        pytest.skip(said)
    # As it stands: resolved, the interpreter of a virtual environment would be the one that it was made with.
    return str(Path.cwd() / chosen) if os.sep in chosen else chosen or sys.executable
