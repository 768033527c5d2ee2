"""Runs in which everything that comes from outside is a text that would like to be more than that."""

from __future__ import annotations

import msgspec

from harness.oracle.expect import callback
from harness.trace import What
from tests.unit.oracle.story import LOGGED_IN, Story
from tests.unit.report.page_rig import INFO, html_of, story_called

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x=\'',
    "</title></svg><iframe>",
    "--><!-- ]]> {{ 7 * 7 }} {% raw %}",
    "&lt;b&gt; &amp; &#x3c;",
    "</style><link rel=stylesheet href=//evil>",
]
INVISIBLE = ["\u202egnp.exe", "a\x1b[2Jb", "nul\x00nul", "zero\u200bwidth", "\u2066isolated", "bell\x07"]


def _told(text: str) -> Story:
    story = story_called(f"test_x.py::test_y[{text}]", "CONNECTED-3", phase=text).logged_in(text)
    story.said(5, "onMessageReceivedFromPeer", person=text, peer=text, text=text)
    story.switched(6, text, text, person=text)
    story.called(7, "sendToPeer", person=text, peer=text, text=text)
    story.put(8, text, What.FAULT, text, proof=text)
    story.put(9, "server", What.SERVER, text, uid=text)
    return story.expects(*LOGGED_IN, callback("onLeave", channel=text), person=text)


def hostile_html(text: str) -> str:
    """The page of a run in which everything that comes from outside is this."""
    info = msgspec.structs.replace(
        INFO,
        client={"name": text, "version": text, "language": text, "capabilities": [text]},
        client_command=[text],
        options=["--client", text],
        toxiproxy=text,
        host={text: text},
        started=text,
    )
    return html_of(_told(text).ended(), info=info, selected=[text])
