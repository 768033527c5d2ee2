from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from harness.needs import Selection
from proxies.effects import BELOW_TCP

NEEDS = ("", "drop", "unplug", "drop unplug", "change_address", "droop", "drop droop")


async def body() -> None: ...


@pytest.fixture
def items(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> list[pytest.Item]:
    """A test, and a scenario for each of the needs."""
    pytestconfig.addinivalue_line("markers", "scenario(*clauses): as the plugin knows it")

    def make(name: str) -> pytest.Function:
        info = request.node._fixtureinfo
        return pytest.Function.from_parent(request.node.parent, name=name, callobj=body, fixtureinfo=info)

    made = [make("beside"), *(make(needs) for needs in NEEDS)]
    for item, needs in zip(made[1:], NEEDS, strict=True):
        item.add_marker(pytest.mark.scenario("OPEN-1", lasts_s=1, **({"needs": needs} if needs else {})))
    return list(made)


@pytest.mark.parametrize(
    ("means", "out"),
    [
        ((), ["drop", "unplug", "drop unplug", "change_address"]),
        (("unplug",), ["drop", "drop unplug", "change_address"]),
        (BELOW_TCP, []),
    ],
)
def test_what_cannot_be_played_is_left_out_and_told_to_pytest(
    items: list[pytest.Item], means: tuple[str, ...], out: list[str]
) -> None:
    deselected: list[str] = []
    hook = SimpleNamespace(pytest_deselected=lambda items: deselected.extend(each.name for each in items))
    selection, everything = Selection(frozenset(means)), [each.name for each in items]
    selection.pytest_collection_modifyitems(cast(pytest.Config, SimpleNamespace(hook=hook)), items)
    assert deselected == out
    assert [each.name for each in items] == [name for name in everything if name not in out], "in their order"
    told = f"{len(out)} scenarios need faults below TCP and were left out: --faults netns plays them"
    assert selection.pytest_report_collectionfinish() == ([told] if out else [])


def test_what_is_misspelt_stays_so_that_it_is_refused(items: list[pytest.Item]) -> None:
    hook = SimpleNamespace(pytest_deselected=lambda items: None)  # noqa: ARG005 - pytest gives it by its name
    Selection(frozenset()).pytest_collection_modifyitems(cast(pytest.Config, SimpleNamespace(hook=hook)), items)
    assert {"droop", "drop droop"} <= {each.name for each in items}
