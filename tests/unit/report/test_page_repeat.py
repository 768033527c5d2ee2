from __future__ import annotations

import shlex

import pytest

from harness.report.repeat import repeat
from harness.report.run_folder import RunInfo


def info(*options: str) -> RunInfo:
    return RunInfo("0.1.0", "rtm-1.0", "now", options=list(options))


@pytest.mark.parametrize(
    ("options", "name", "line"),
    [
        ([], "t.py::test_x", "linkproof certify -k 'test_x'"),
        ([], "a/t.py::test_x[1/b]", "linkproof certify -k 'test_x[1/b]'"),
        ([], "explored 17", "linkproof certify -k 'explored 17'"),
        (["--tls", "--ipv6"], "t.py::test_x", "linkproof certify --tls --ipv6 -k 'test_x'"),
        (["--client", "node a.js"], "t.py::test_x", "linkproof certify --client 'node a.js' -k 'test_x'"),
    ],
)
def test_the_line_has_the_options_of_the_run_and_the_name_of_the_scenario(
    options: list[str], name: str, line: str
) -> None:
    assert repeat(info(*options), name) == line


@pytest.mark.parametrize("word", ["it's", "$(reboot)", "a;b", '"', "`x`", "two words", "\\"])
def test_the_shell_reads_every_word_as_it_was_given(word: str) -> None:
    line = repeat(info("--client", word), f"t.py::test_x[{word}]")
    assert shlex.split(line) == ["linkproof", "certify", "--client", word, "-k", f"test_x[{word}]"]
