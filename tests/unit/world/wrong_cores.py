"""Client cores that are wrong, to be chosen for a virtual world."""

from __future__ import annotations

from collections.abc import Callable

from harness.reference.client_core import ClientCore
from harness.spec.timing import Timing


class HastyCore(ClientCore):
    """Tells of an interruption after 3 s, and is right in all else."""

    def __init__(self, app_id: str, *, instance: str, jitter: Callable[[], float]) -> None:
        super().__init__(app_id, instance=instance, jitter=jitter, timing=Timing(interruption_s=3.0))
