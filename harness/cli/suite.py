"""Where the scenarios are, and how to have pytest collect or play them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness import plugin
from harness.collection import needs_of
from harness.errors import HarnessError
from harness.spec.profiles import RTM_1_0, Profile


def suite_folder(profile: Profile = RTM_1_0) -> Path:
    """Return the folder of a profile's scenarios: the checkout's, or the one that travels in the wheel.

    Raises:
        HarnessError: there is neither.
    """
    package = Path(plugin.__file__).parent
    candidates = (package.parent / profile.scenarios, package / Path(profile.scenarios).name)
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise HarnessError(
        f"the scenarios are not there; looked in {' and '.join(map(str, candidates))}", mend="install linkproof anew"
    )


def run_pytest(arguments: Sequence[str], *plugins: object, profile: Profile = RTM_1_0) -> int:
    """Run pytest over a profile's scenarios in this process, apart from whatever configuration is around.

    Returns its code.
    """
    folder = suite_folder(profile)
    # '-c' with an empty configuration and a root of its own: a pyproject.toml or conftest.py in the user's folder is
    # not ours to obey, and the names of the scenarios are the same in a checkout and in a wheel.
    own = ["-c", str(Path(__file__).with_name("suite.ini")), "--rootdir", str(folder)]
    own += ["--profile", profile.name]
    own += ["-p", "no:unraisableexception"]  # what Python cannot raise is no test's; Interruption looks at it
    own += ["-p", "no:cacheprovider", "--import-mode=importlib", "--strict-markers", f"--confcutdir={folder}"]
    return int(pytest.main([*own, *arguments, str(folder)], plugins=[plugin, *plugins]))


@dataclass
class Collected:
    """The scenarios that pytest found."""

    items: list[pytest.Function] = field(default_factory=list)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Keep what is collected, also where it is left out later."""
        if isinstance(item, pytest.Function):
            self.items.append(item)


def collect(profile: Profile = RTM_1_0, means: Collection[str] = ()) -> list[pytest.Function]:
    """Return every scenario of a profile that can be played with these means beyond Toxiproxy.

    Raises:
        HarnessError: they cannot be collected.
    """
    collected = Collected()
    code = run_pytest(["--collect-only", "-p", "no:terminal"], collected, profile=profile)
    if code != pytest.ExitCode.OK:
        raise HarnessError(f"the scenarios cannot be collected (pytest says {code})", mend="run pytest --collect-only")
    return [item for item in collected.items if needs_of(item) <= set(means)]
