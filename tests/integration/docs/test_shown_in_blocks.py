"""Each command in the blocks of README and docs is run as it stands there, page by page and from the top."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.docs import shown
from tests.integration.docs.conftest import Place, put_the_client_in, save_the_scenario, save_the_wrong_client
from tests.integration.docs.shown import EVERYTHING, LEFT_OUT, SHOWN_IN_BLOCKS, Shown, left_out
from tests.unit.docs.pages import Page, page

# Tools that a page uses and that are not linkproof's: where one is missing, its page ends there, and says so.
TOOLS = ("openssl", "jq")
# What the reader does by hand after a command, or before the first one.
BY_HAND: dict[tuple[str, str], Callable[[Path], None]] = {
    ("docs/reading-a-failure.md", ""): save_the_wrong_client,
    ("docs/writing-scenarios.md", ""): save_the_scenario,
    ("docs/tutorial.md", "linkproof adapter new --lang python my-adapter"): put_the_client_in,
}
RUNNABLE = [name for name, commands in SHOWN_IN_BLOCKS.items() if any(left_out(each) is None for each in commands)]


@pytest.mark.parametrize("name", RUNNABLE)
def test_the_commands_of_a_page_run_as_shown(new_place: Callable[[str], Place], name: str) -> None:
    place = new_place("page")
    a_run = place.path / "a-run"
    if any("RUN" in shown.replaced(each)[0] for each in SHOWN_IN_BLOCKS[name]):
        place.run(f"linkproof certify --run-dir {a_run}").check_returncode()
    if (name, "") in BY_HAND:
        BY_HAND[name, ""](place.path)
    for command in SHOWN_IN_BLOCKS[name]:
        if left_out(command) is None:
            tool = shlex.split(command.text)[0]
            if tool in TOOLS and shutil.which(tool) is None:
                pytest.skip(f"the rest of {name} was not run: there is no {tool} on this machine")
            place.check_shown(command, a_run)
        if (name, command.text) in BY_HAND:
            BY_HAND[name, command.text](place.path)


def test_each_entry_of_the_tables_fits_something_that_is_shown() -> None:
    assert shown.unmatched_entries(EVERYTHING) == []
    assert all(Shown(*key) in SHOWN_IN_BLOCKS[key[0]] for key in BY_HAND if key[1])


def test_an_entry_that_fits_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = shown.LeftOut("linkproof was-renamed", "it is gone", "tox.ini::no such line")
    monkeypatch.setattr(shown, "LEFT_OUT", (*LEFT_OUT, gone))
    monkeypatch.setattr(shown, "STANDS_FOR", (*shown.STANDS_FOR, shown.StandsFor("--was-renamed", "-k", "it is gone")))
    monkeypatch.setattr(shown, "EXITS", {**shown.EXITS, "linkproof was-renamed": (1, "it is gone")})
    assert shown.unmatched_entries(EVERYTHING) == [
        "STANDS_FOR --was-renamed",
        "LEFT_OUT linkproof was-renamed",
        "EXITS linkproof was-renamed",
        "LEFT_OUT linkproof was-renamed: nothing in tox.ini is called no such line",
    ]


def test_a_command_that_does_not_end_as_shown_is_found(new_place: Callable[[str], Place]) -> None:
    with pytest.raises(AssertionError, match=r"docs/x\.md: linkproof explain NO-SUCH-RULE"):
        new_place("wrong").check_shown(Shown("docs/x.md", "linkproof explain NO-SUCH-RULE"))


def test_commands_are_found_in_blocks_of_every_shell_and_after_prompts(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    blocks = ["sh\n# a comment\na \\\n  --b  # why\n\nc | d", "console\n$ e f\nwhat it prints", "text\nnot this"]
    path.write_text("\n".join(f"```{block}\n```" for block in blocks), encoding="utf-8")
    found = [
        line for block in Page(path).blocks if block.language in shown.SHELL for line in shown.lines_of(block.text)
    ]
    assert found == ["a    --b  # why", "c | d", "e f"]


def test_the_certificate_that_the_tutorial_ends_with_says_what_it_shows(new_place: Callable[[str], Place]) -> None:
    place = new_place("tutorial")
    place.run("linkproof adapter new --lang python my-adapter").check_returncode()
    put_the_client_in(place.path)
    certified = place.run('linkproof certify --client "python3 my-adapter/adapter.py" --run-dir run')
    assert "PASS  small 1.0 against rtm-1.0: 1 PASS" in certified.stdout, certified.stdout + certified.stderr
    place.run("linkproof attest run --out certificate.json").check_returncode()
    statement = json.loads((place.path / "certificate.json").read_text(encoding="utf-8"))
    assert statement["predicate"]["result"] == "WARNED"
    assert [each["name"] for each in statement["subject"]] == ["my-adapter/adapter.py"]


def test_the_failure_that_is_read_is_printed_as_the_page_has_it(new_place: Callable[[str], Place]) -> None:
    place, reading = new_place("failure"), page("docs/reading-a-failure.md")
    save_the_wrong_client(place.path)
    printed = place.run(SHOWN_IN_BLOCKS[reading.name][0].text).stdout
    in_the_terminal = [block.text for block in reading.blocks if block.language == "text"][:3]
    assert [text for text in in_the_terminal if text not in re.sub(r" +$", "", printed, flags=re.MULTILINE)] == []
