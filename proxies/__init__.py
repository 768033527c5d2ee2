"""The links of a run: a real Toxiproxy, one proxy for each link, and the faults by their effect."""

from proxies.binary import find, install
from proxies.breakable import Observer
from proxies.fault import Fault, FaultEvent, Interval, Phase
from proxies.flap import Flap
from proxies.found import Found
from proxies.link import Link
from proxies.pinned import VERSION
from proxies.server import ToxiproxyServer
from proxies.toxics import Direction

__all__ = [
    "VERSION",
    "Direction",
    "Fault",
    "FaultEvent",
    "Flap",
    "Found",
    "Interval",
    "Link",
    "Observer",
    "Phase",
    "ToxiproxyServer",
    "find",
    "install",
]
