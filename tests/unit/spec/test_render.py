from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from harness.spec.clauses import CLAUSES
from harness.spec.profiles import RTM_1_0
from harness.spec.render import CODES, DURATIONS, main, render
from harness.spec.states import CODES_OF, Reason, State
from harness.spec.timing import Timing
from harness.spec.transitions import LEGAL_PAIRS, TRANSITIONS

ROOT = Path(__file__).resolve().parents[3]
PAGE = render()


def section(heading: str) -> str:
    """The text below a heading, up to the next heading of any level."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no heading {heading!r}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The cells of a table, without its head."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [line.strip("| ").split(" | ") for line in lines[2:]]


def test_the_page_in_docs_is_what_the_data_says() -> None:
    stored = (ROOT / "docs" / "spec.md").read_text(encoding="utf-8")
    assert stored == PAGE, "docs/spec.md is stale: run 'make docs' and commit it"


def test_its_head_says_that_it_is_made_and_by_which_command() -> None:
    head = "\n".join(PAGE.splitlines()[:6])
    assert "make docs" in head
    assert "python -m harness.spec.render docs/spec.md" in head


def test_the_diagram_has_one_arrow_from_one_state_to_another_with_each_cause_and_reason() -> None:
    arrows = re.findall(r"^    (\w+) --> (\w+): (.*)$", section("The diagram"), re.MULTILINE)
    drawn = [(source, target, why) for source, target, whys in arrows for why in whys.split("<br/>")]
    assert len({(source, target) for source, target, _ in arrows}) == len(arrows)
    assert sorted(drawn) == sorted(
        (row.source.name, row.target.name, f"{row.cause} / {row.reason.name}") for row in TRANSITIONS
    )
    assert "[*] --> DISCONNECTED\n" in section("The diagram")


def test_each_transition_is_a_row_with_links_to_its_clauses() -> None:
    shown = rows(section("The transitions"))
    assert len(shown) == len(TRANSITIONS)
    for cells, row in zip(shown, TRANSITIONS, strict=True):
        assert cells[:4] == [row.source.name, row.cause, row.target.name, row.reason.name]
        assert re.findall(r"\[([A-Z0-9-]+)\]", cells[4]) == list(row.clauses)


def test_the_pairs_are_the_legal_ones() -> None:
    assert {(State[state], Reason[reason]) for state, reason in rows(section("The legal pairs"))} == LEGAL_PAIRS


@pytest.mark.parametrize(("heading", "kind"), [("States", State), ("Reasons", Reason)])
def test_states_and_reasons_have_their_numbers_and_prefix(heading: str, kind: type[State] | type[Reason]) -> None:
    assert rows(section(heading)) == [[str(each.value), f"`{each.name}`"] for each in kind]
    assert "`CONNECTION_" in section(heading)


def test_each_kind_of_code_has_its_prefix_its_speakers_and_its_numbers() -> None:
    assert set(CODES) == set(CODES_OF.values())
    for kind in CODES:
        (prefix,) = re.findall("prefix ([A-Z_]+)", kind.__doc__ or "")
        text = section(f"{prefix}\\*")
        assert rows(text) == [[str(each.value), f"`{each.name}`"] for each in kind]
        assert re.findall("`(on[A-Z][A-Za-z]+|[a-z][A-Za-z]+)`", text) == [
            name for name, codes in CODES_OF.items() if codes is kind
        ]


def test_each_clause_is_there_once_with_an_anchor_its_grade_and_its_text() -> None:
    shown = re.findall(r'^\| <a id="([a-z0-9-]+)"></a>([A-Z0-9-]+) \| (\w+) \| (.*) \|$', PAGE, re.MULTILINE)
    assert shown == [(each.id.lower(), each.id, each.grade.value, each.text) for each in CLAUSES]


def test_no_heading_takes_the_anchor_of_a_clause() -> None:
    headings = {heading.lower().replace(" ", "-") for heading in re.findall("^#+ (.*)$", PAGE, re.MULTILINE)}
    assert not headings & {clause.id.lower() for clause in CLAUSES}


def test_each_number_of_the_profile_is_there_with_a_clause_that_exists() -> None:
    fields = [field.name for field in dataclasses.fields(Timing)]
    assert set(DURATIONS) == set(fields)
    shown = rows(section("Durations and counts"))
    assert [cells[0] for cells in shown] == [f"`{name}`" for name in fields]
    assert shown[0][1:] == ["6 s", DURATIONS["login_s"][0], "[CONNECTING-5](#connecting-5)"]
    assert {clause for _, clause in DURATIONS.values()} <= {None, *(clause.id for clause in CLAUSES)}


def test_another_profile_is_drawn_from_its_own_data() -> None:
    profile = dataclasses.replace(
        RTM_1_0, name="later", transitions=TRANSITIONS[:1], clauses=CLAUSES[:1], timing=Timing(login_s=12.0)
    )
    page = render(profile)
    assert "`later`" in page
    assert "| `login_s` | 12 s |" in page
    assert "INTERRUPTED /" not in page
    assert page.count("<a id=") == 1


def test_it_writes_the_page_and_finds_it_fresh(tmp_path: Path) -> None:
    path = tmp_path / "spec.md"
    assert main([str(path)]) == 0
    assert path.read_text(encoding="utf-8") == PAGE
    assert main(["--check", str(path)]) == 0


@pytest.mark.parametrize("stored", [None, PAGE + "edited by hand\n"])
def test_a_stale_or_missing_page_is_told_with_its_mend(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stored: str | None
) -> None:
    path = tmp_path / "spec.md"
    if stored is not None:
        path.write_text(stored, encoding="utf-8")
    assert main([str(path), "--check"]) == 1
    assert "Run 'make docs'" in capsys.readouterr().err
    assert path.exists() == (stored is not None)


@pytest.mark.parametrize("arguments", [[], ["--check"], ["--chekc"], ["a.md", "b.md"]])
def test_wrong_arguments_are_told_the_right_ones(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("usage: ")
