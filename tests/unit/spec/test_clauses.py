from __future__ import annotations

import re

from harness.spec.clauses import BY_ID, CLAUSES, OF_DOCUMENT, Grade

COUNTS = {"GENERAL": 4, "DISCONNECTED": 2, "CONNECTING": 5, "CONNECTED": 6, "RECONNECTING": 12, "ABORTED": 2}


def test_the_ids_of_the_document_are_these_31_in_this_order() -> None:
    ids = [f"{section}-{number}" for section, count in COUNTS.items() for number in range(1, count + 1)]
    assert [clause.id for clause in OF_DOCUMENT] == ids
    assert len(ids) == 31


def test_the_ids_of_the_open_questions_are_these_28_and_nothing_else_is_a_clause() -> None:
    assert [clause.id for clause in CLAUSES[31:]] == [f"OPEN-{number}" for number in range(1, 29)]
    assert CLAUSES[:31] == OF_DOCUMENT


def test_no_id_is_given_twice() -> None:
    assert len(BY_ID) == len(CLAUSES) == 59
    assert all(BY_ID[clause.id] is clause for clause in CLAUSES)


def test_only_open_questions_whose_sources_disagree_are_shoulds() -> None:
    shoulds = {clause.id for clause in CLAUSES if clause.grade is Grade.SHOULD}
    assert shoulds == {"OPEN-1", "OPEN-5", "OPEN-10", "OPEN-12", "OPEN-15"}


def test_a_clause_knows_its_section() -> None:
    assert {clause.section for clause in CLAUSES} == {*COUNTS, "OPEN"}
    assert BY_ID["RECONNECTING-12"].section == "RECONNECTING"


def test_no_two_clauses_say_the_same_and_each_is_a_sentence() -> None:
    texts = [clause.text for clause in CLAUSES]
    assert len(set(texts)) == len(texts)
    assert [text for text in texts if not re.fullmatch(r"\S.*\S[.]|\S.*[.)]", text) or "  " in text] == []


def test_the_numbers_of_the_document_are_in_the_texts() -> None:
    for clause_id, number in [("CONNECTING-5", "6 s"), ("CONNECTED-3", "4 s"), ("GENERAL-4", "30 s")]:
        assert number in BY_ID[clause_id].text
