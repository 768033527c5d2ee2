"""What the client keeps of its user for the server: its channels and its attributes, and what the server lacks of them.

After a return the server either has the session still (``resumed``), and lacks what changed meanwhile, or has nothing.
"""

from __future__ import annotations

from harness.reference.client_requests_core import AttributeChange
from harness.reference.wire import AddAttributes, SetAttributes


class Roster:
    """Channels and attributes of one session as the client has them. Sets are dicts: they keep their order."""

    def __init__(self) -> None:
        self.joined: dict[str, bool] = {}  # by channel: whether the server's session is known to be in it
        self.joining: dict[str, None] = {}  # asked for, no answer yet
        self.leaving: dict[str, None] = {}  # out of them for the app, and the server may think otherwise
        self.attributes: dict[str, str] = {}
        self._version = 0  # of the attributes, counting what the server may lack ...
        self._version_told = 0  # ... and the one that it confirmed

    @property
    def version(self) -> int:
        """The number of the present attributes."""
        return self._version

    @property
    def owes_attributes(self) -> bool:
        """True where the server may have other attributes than the client (OPEN-25)."""
        return self._version != self._version_told

    def unrestored(self) -> list[str]:
        """Return the channels that the server's session is to be put into again (OPEN-23)."""
        return [channel for channel, is_there in self.joined.items() if not is_there]

    def owe_attributes(self) -> None:
        """Note that the server may have other attributes than the client."""
        self._version += 1

    def attributes_told(self, version: int) -> None:
        """Note that the server has the attributes of this number."""
        self._version_told = version

    def server_has_nothing(self) -> None:
        """Note that the server's session is a new one: in no channel, without attributes (RECONNECTING-5, -6)."""
        self.joined = dict.fromkeys(self.joined, False)
        self.leaving.clear()
        self._version += 1
        if not self.attributes:
            self._version_told = self._version


def changed(attributes: dict[str, str], change: AttributeChange) -> dict[str, str]:
    """Return the attributes after a change."""
    if isinstance(change, SetAttributes):
        return dict(change.attributes)
    if isinstance(change, AddAttributes):
        return attributes | change.attributes
    return {key: value for key, value in attributes.items() if key not in change.keys}
