"""The page of a run: one file of HTML that needs no network, made from the evidence.

What stands in it comes from adapters and scenarios too. It is escaped by the templates, each of them and everywhere;
what cannot be seen is made visible before that; and the page's own policy lets nothing run but its own script.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

import jinja2
import markupsafe

from harness.report.distribution import Distribution, distributions
from harness.report.distribution_picture import picture
from harness.report.overview import overview_of
from harness.report.run_folder import Played, RunInfo
from harness.report.stories import stories_of
from harness.report.summary import Summary
from harness.spec.profiles import Profile

# Nothing is fetched, sent or run, but for what is named beside it.
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'"
_TEMPLATES = Path(__file__).with_name("templates")


def render_page(summary: Summary, info: RunInfo, played: Sequence[Played], profile: Profile) -> str:
    """Return the page of a run; ``played`` is everything that was recorded to its end, first results included."""
    style, script = _read("page.css"), _read("page.js")
    stories = stories_of(summary, info, played)
    template = _templates().get_template("page.html.jinja")
    return template.render(
        style=markupsafe.Markup(style),  # noqa: S704 -- a file of ours
        script=markupsafe.Markup(script),  # noqa: S704 -- a file of ours
        policy=f"{_POLICY}; style-src '{_digest(style)}'; script-src '{_digest(script)}'",
        run=overview_of(summary, info, stories, profile),
        stories=stories,
        # What they are called comes from the run, and is escaped where the picture is made.
        spreads=[(each, markupsafe.Markup(picture(each))) for each in _spreads(summary, info)],  # noqa: S704
    )


def _spreads(summary: Summary, info: RunInfo) -> list[Distribution]:
    return distributions(summary.judgements) if info.repeat > 1 else []


def visible(value: object) -> object:
    """Return a text with everything in it visible: what moves the cursor or turns the direction is spelled out.

    The end of a line stays what it is.
    """
    if not isinstance(value, str) or isinstance(value, markupsafe.Markup) or value.isprintable():
        return value
    return "".join(char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in value)


@functools.cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=visible,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Return what the policy of a page calls this text by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
