from __future__ import annotations

import pytest

from harness.errors import AdapterError, Blame, HarnessError, HostError, LinkproofError, ToxiproxyError, UsageError


@pytest.mark.parametrize(
    ("kind", "blame"),
    [
        (LinkproofError, "harness"),
        (HarnessError, "harness"),
        (AdapterError, "adapter"),
        (ToxiproxyError, "toxiproxy"),
        (HostError, "host"),
        (UsageError, "user"),
    ],
)
def test_the_type_of_an_error_says_who_is_to_blame(kind: type[LinkproofError], blame: str) -> None:
    error = kind("something")
    assert isinstance(error, LinkproofError)
    assert (error.blame, str(error)) == (Blame(blame), f"{blame}: something")


def test_an_error_says_what_was_found_why_it_is_wrong_and_how_to_mend_it() -> None:
    error = AdapterError("no answer", why="the process ended", mend="read its log")
    assert str(error) == "adapter: no answer\n  why:  the process ended\n  mend: read its log"
    assert error.args == (str(error),)


def test_what_an_error_does_not_know_it_leaves_out() -> None:
    assert str(HostError("no Go", mend="install Go")) == "host: no Go\n  mend: install Go"
    assert str(HostError("no Go", why="it is needed")) == "host: no Go\n  why:  it is needed"


def test_the_implementation_is_never_blamed_by_an_error_only_by_a_verdict() -> None:
    kinds: list[type[LinkproofError]] = [LinkproofError, *LinkproofError.__subclasses__()]
    assert Blame.IMPLEMENTATION not in {kind.blame for kind in kinds}
