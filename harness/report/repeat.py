"""The command that plays a scenario again, as it was played."""

from __future__ import annotations

import shlex

from harness.report.run_folder import RunInfo


def repeat(info: RunInfo, scenario: str) -> str:
    """Return the command that plays a scenario of this run again."""
    options = "".join(f" {shlex.quote(option)}" for option in info.options)
    name = scenario.rpartition("::")[2]
    quoted = shlex.quote(name)
    # In quotation marks also where the shell needs none: who copies the line may put another name there.
    return f"linkproof certify{options} -k " + (f"'{name}'" if quoted == name else quoted)
