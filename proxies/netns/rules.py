"""How packets that arrive at an interface are treated: one set of rules for all, which ask for the interface's group.

The group is a number with a bit for each treatment. To change it takes one message; to change rules takes the kernel
until every processor has noticed, and a hundred links may fail at the same moment.
"""

from __future__ import annotations

import json
from enum import Flag
from typing import Final

from proxies.netns.kernel import tell
from proxies.netns.namespaces import Namespace


class Treatment(Flag):
    """What is done to TCP's packets, before anybody there sees them; what is not named here passes."""

    NONE = 0
    LOST = 1  # each is dropped
    REFUSED = 2  # each is answered by an RST
    UNANSWERED = 4  # each first one of a connection (SYN) is dropped
    UNENDING = 8  # each last one (FIN, RST) is dropped


_TABLE: Final = "inet linkproof"
_ALL: Final = max(each.value for each in Treatment) * 2
# In this order: what closes a link closes it also where a direction is lost.
_RULES: Final = (
    (Treatment.UNANSWERED, "tcp flags & (syn | ack) == syn", "drop"),
    (Treatment.REFUSED, "", "reject with tcp reset"),
    (Treatment.UNENDING, "tcp flags & (fin | rst) != 0x0", "drop"),
    (Treatment.LOST, "", "drop"),
)


def set_up(namespace: Namespace) -> None:
    """Set up the rules; they apply to no interface yet.

    Raises:
        HostError: the kernel refuses, or has not the means.
    """
    tell(namespace, ["nft", "-f", "-"], _script())


def stopped(namespace: Namespace) -> dict[str, int]:
    """Return how many packets the rules have stopped at each interface so far."""
    listed = json.loads(tell(namespace, ["nft", "-j", "list", "set", *_TABLE.split(), "stopped"]))
    (counted,) = (entry["set"] for entry in listed["nftables"] if "set" in entry)
    elements = (element["elem"] for element in counted.get("elem", []))
    return {element["val"]: element["counter"]["packets"] for element in elements}


def _script() -> str:
    rules = [f"iifgroup {_groups(each)} {matched} update @stopped {{ iifname counter }} {verdict}"
             for each, matched, verdict in _RULES]  # fmt: skip
    chain = "; ".join(["type filter hook prerouting priority raw; policy accept", "meta l4proto != tcp accept", *rules])
    stopped_at = "type ifname; size 65535; flags dynamic; counter"
    return f"table {_TABLE} {{ set stopped {{ {stopped_at}; }}; chain arriving {{ {chain}; }}; }}\n"


def _groups(treatment: Treatment) -> str:
    """Return the groups in whose number the bit of a treatment is set."""
    return f"{{ {', '.join(str(group) for group in range(_ALL) if group & treatment.value)} }}"
