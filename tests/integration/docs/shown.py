"""The commands that the pages show, and what has to be known to run them: what stands for what, and what is left out.

Every entry of a table has to fit something that is shown, so that none outlives the page that it was made for.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.unit.docs.pages import PAGES, Page, page

# A page's code that is meant for a shell. In the other languages are programs, files and what was printed.
SHELL = ("sh", "console", "bash", "shell")
# Spans that begin so are commands; one word alone is the name of a program.
PROGRAMS = ("linkproof", "make", "pytest", "docker", "apt-get", "python3", "openssl", "jq")


@dataclass(frozen=True)
class Shown:
    """A command, as a page shows it."""

    page: str
    text: str


@dataclass(frozen=True)
class StandsFor:
    """What a part of a command is replaced by, to be run here."""

    shown: str
    run: str
    why: str
    page: str = ""  # only there, where it is named


@dataclass(frozen=True)
class LeftOut:
    """Commands that begin so are not run, and what does the like instead: a file, and a part of its text."""

    begins: str
    why: str
    instead: str


STANDS_FOR = (
    StandsFor('"my-adapter"', '"python3 adapter.py"', "the adapter of the reader"),
    StandsFor('"my-app --server', '"python3 adapter.py --server', "an app that is its own adapter"),
    StandsFor('"COMMAND"', '"python3 wrong.py"', "a client with a failure to be known", "docs/known-failures.md"),
    StandsFor('--server "COMMAND"', '--server "python3 server.py"', "that of the reader", "docs/server-contract.md"),
    StandsFor("adapter check COMMAND", 'adapter check "python3 adapter.py"', "the adapter of the reader"),
    StandsFor('"COMMAND"', '"python3 adapter.py"', "the adapter of the reader"),
    StandsFor("runs/TIME", "RUN", "the folder of a run"),
    StandsFor("RUN... --run-dir DIR", "parts/part-1 parts/part-2 --run-dir whole", "the parts of a run"),
    StandsFor("agree RUN OTHER", "agree RUN OF_VIRTUAL_TIME", "the same scenarios in the other world"),
    StandsFor("verify CERTIFICATE", "verify RUN/certificate.json", "what 'attest RUN' has written before"),
    StandsFor("compare OLD NEW", "compare RUN RUN", "two runs of the same scenarios"),
    StandsFor("judge whole", "judge RUN", "a run that was joined is a run as any other"),
    StandsFor("coverage whole", "coverage RUN", "a run that was joined is a run as any other"),
    StandsFor("--lang go DIR", "--lang go new-in-go", "an empty folder"),
    StandsFor("--lang python DIR", "--lang python new-in-python", "an empty folder"),
    StandsFor("explain CLAUSE", "explain OPEN-16", "a rule"),
    StandsFor("explain NAME", "explain a_login_that_hangs", "a scenario"),
    StandsFor("-k each_switch_calls_back --repeat 15", "-k each_switch_calls_back", "those take half a minute"),
    StandsFor("-k 4_s --serial", "-k login_that_succeeds --serial", "those take minutes"),
    StandsFor("-k 4_s --repeat 10", "-k login_that_succeeds --repeat 2", "those take half a minute"),
    StandsFor("--repeat 10", "--repeat 2", "it is the same ten times"),
    StandsFor(" -k login", " -k login_that_succeeds", "those take longer", "docs/adapter-contract.md"),
    StandsFor(" -k login", " -k login_that_succeeds", "those take longer", "docs/server-contract.md"),
    StandsFor(" -k login_that ", " -k login_that_succeeds ", "those take longer", "docs/tutorial.md"),
    StandsFor("linkproof explore", "linkproof explore --examples 50", "it draws for a minute"),
    StandsFor("report runs/hasty --open", "report RUN", "a browser would open"),
    StandsFor("compare runs/login run", "compare RUN RUN", "two runs that the page has made before"),
    StandsFor("linkproof serve --", "linkproof serve --port 0 --", "its port may be taken here", "docs/serving.md"),
    StandsFor("serve --port 8765", "serve --port 0", "8765 may be taken on this machine"),
    StandsFor("my-adapter/adapter.py", "adapter.py", "that of the reader", "docs/adapter-contract.md"),
)
CONTAINERS = "tests/integration/containers/test_certify.py::def test_the_reference_as_images_gets_the_verdicts"
KNOWN = "tests/integration/plugin/test_known_failures.py"
CONTROL = "tests/integration/reference/test_server_control.py"
NETNS = "tests/integration/netns/test_certify.py"
IN_THE_CHECKOUT = "it works in the checkout and in its own environment, and takes minutes"
LEFT_OUT = (
    LeftOut("make certify", IN_THE_CHECKOUT, "tox.ini::pytest tests/conformance --run-dir"),
    LeftOut("make test", IN_THE_CHECKOUT, ".ci/run::make test"),
    LeftOut("make docs", IN_THE_CHECKOUT, "tests/unit/docs/test_made_parts.py::def test_what_is_made_is_fresh"),
    LeftOut("make bench", IN_THE_CHECKOUT, "tests/integration/benchmarks/test_quick.py::--quick"),
    LeftOut("make coverage", IN_THE_CHECKOUT, "tox.ini::--check docs/coverage.md"),
    LeftOut("make mutants", IN_THE_CHECKOUT, "tox.ini::python -m tests.mutants --virtual"),
    LeftOut("pytest tests/conformance", IN_THE_CHECKOUT, "tox.ini::pytest tests/conformance --run-dir"),
    LeftOut("pytest -n", "it works in the checkout", f"{KNOWN}::def test_processes_of_xdist_know_them_too"),
    LeftOut("pip install", "it downloads", "tox.ini::uv pip install --quiet"),
    LeftOut("python3 -m venv", "it is for what is downloaded next", "tox.ini::uv venv --quiet"),
    LeftOut(". venv/bin/activate", "it is for what is downloaded next", "tox.ini::uv venv --quiet"),
    LeftOut("apt-get install", "it changes the machine", ".ci/run::apt-get install"),
    LeftOut("curl ", "it asks a server of the page", "tests/integration/reference/test_server_probes.py::/healthz"),
    LeftOut("linkproof serve --host 0.0.0.0", "it needs a certificate", f"{CONTROL}::def test_serve_speaks_tls"),
    LeftOut("linkproof serve --help", "each command's help is", "tests/integration/docs/test_commands_run.py::--help"),
    LeftOut(
        "linkproof certify --faults netns", "it needs rights", "tests/integration/netns/test_certify.py::def test_"
    ),
    LeftOut("docker compose build", "it needs a container engine", CONTAINERS),
    LeftOut("linkproof certify --client-image", "it needs a container engine", CONTAINERS),
    LeftOut("linkproof certify --server-image", "it needs a container engine", CONTAINERS),
    LeftOut("linkproof certify --engine docker", "it needs a container engine", CONTAINERS),
    LeftOut(
        "linkproof certify --profile mqtt-5",
        "it needs Mosquitto, and paho-mqtt in an environment of its own",
        "tests/integration/mqtt/test_mqtt.py::def test_paho_and_mosquitto_are_judged",
    ),
)
# What does not exit with 0 here, and why that is right.
HASTY = "linkproof certify --virtual --core hasty:HastyCore"
EXITS = {
    f'{HASTY} -k "visible_loss or login_that_succeeds" --run-dir runs/hasty': (1, "the page is about a failure"),
    f"{HASTY} -k test_a_visible_loss_interrupts_after_4_s": (1, "the page is about a failure"),
    "linkproof coverage RUN": (1, "so small a run leaves rules unchecked, and it says so"),
    'linkproof certify --client "python3 wrong.py" --write-known-failures known.toml': (
        1,
        "there is a failure to be known",
    ),
}


def lines_of(text: str) -> Iterator[str]:
    """Each command of a block; of one with prompts ('$ ') those lines alone. A backslash at the end joins two lines."""
    lines = text.replace("\\\n", " ").splitlines()
    if any(line.startswith("$ ") for line in lines):
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    for line in lines:
        if shlex.split(line, comments=True):
            yield line.strip()


def in_blocks(one: Page) -> list[Shown]:
    """The commands in the blocks of a page, from the top: they build on one another."""
    return [Shown(one.name, line) for each in one.blocks if each.language in SHELL for line in lines_of(each.text)]


def in_text(one: Page) -> list[Shown]:
    """The commands in the sentences and tables of a page."""
    return [
        Shown(one.name, span) for span in one.spans if span.startswith(tuple(f"{program} " for program in PROGRAMS))
    ]


def left_out(shown: Shown) -> LeftOut | None:
    return next((each for each in LEFT_OUT if shown.text.startswith(each.begins)), None)


def replaced(shown: Shown) -> tuple[str, list[StandsFor]]:
    """The command as it can be run here, and what was replaced for that. Where a run is meant, it still says RUN."""
    text, used = shown.text, []
    for each in STANDS_FOR:
        if each.shown in text and each.page in ("", shown.page):
            text = text.replace(each.shown, each.run)
            used.append(each)
    return text, used


SHOWN_IN_BLOCKS = {one.name: in_blocks(one) for one in PAGES if in_blocks(one)}
SHOWN_IN_TEXT = [shown for one in PAGES for shown in in_text(one)]
EVERYTHING = [*(shown for each in SHOWN_IN_BLOCKS.values() for shown in each), *SHOWN_IN_TEXT]


def unmatched_entries(shown: Sequence[Shown]) -> list[str]:
    """The entries of the tables that fit nothing of what is shown, or point to nothing that is there."""
    run = [one for one in shown if left_out(one) is None]
    used = {each for one in run for each in replaced(one)[1]}
    texts = {replaced(one)[0] for one in run}
    dead = [f"STANDS_FOR {each.shown}" for each in STANDS_FOR if each not in used]
    dead += [f"LEFT_OUT {each.begins}" for each in LEFT_OUT if each not in {left_out(one) for one in shown}]
    dead += [f"EXITS {text}" for text in EXITS if text not in texts]
    for each in LEFT_OUT:
        path, _, part = each.instead.partition("::")
        if part not in page(path).text:
            dead.append(f"LEFT_OUT {each.begins}: nothing in {path} is called {part}")
    return dead
