"""What an engine says that has not the means for a fault: nobody's mistake, and no verdict either."""

from __future__ import annotations

from harness.errors import LinkproofError


class LackingFaultError(LinkproofError):
    """The engine of this run cannot make this fault."""
