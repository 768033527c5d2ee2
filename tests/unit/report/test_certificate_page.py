"""The page of the certificate says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from harness.report.certificate import EVIDENCE, HARNESS, RULES, Predicate, Result, Statement, make
from harness.report.envelope import PAYLOAD_TYPE, read, written
from harness.report.verification import Found, verify
from tests.unit.docs.pages import page
from tests.unit.report.certified import Certified, passed, suite_of

PAGE = page("docs/certificate.md")


def first_cells(heading: str) -> list[str]:
    """What stands as code in the first column of the tables below a heading."""
    return [name for row in PAGE.rows(heading) for name in re.findall("`([^`]+)`", row[0])]


def test_each_field_each_result_and_each_part_is_told_in_order() -> None:
    names = [field.encode_name for field in msgspec.structs.fields(Statement)]
    inside = [f"predicate.{field.encode_name}" for field in msgspec.structs.fields(Predicate)]
    wanted = ["subject", *inside, *reversed(Result), EVIDENCE, RULES, HARNESS]
    assert {"_type", "predicateType"} | set(names) == {"_type", "predicateType", "subject", "predicate"}
    assert first_cells("What it says") == wanted


def test_each_check_is_told(tmp_path: Path) -> None:
    folder = Certified(tmp_path / "run").played(a=passed())
    data = written(make(folder, suite_of))
    checks = [each.what for each in verify(read(data), folder, None, suite_of)]
    told = first_cells("Check one")
    assert [name for name in told if name != "judged again"] == checks
    shown = re.findall(r"^ok ([a-z ]+): ", PAGE.block("text"), re.MULTILINE)
    assert shown == checks
    for mark in (Found.BROKEN, Found.NOBODY):
        assert f"`{mark.value}`" in PAGE.text


def test_the_kind_of_what_is_signed_is_told() -> None:
    assert f"`{PAYLOAD_TYPE}`" in PAGE.text
