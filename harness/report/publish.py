"""What a run that is over leaves for people and machines: made from its evidence alone, and no part of it."""

from __future__ import annotations

import traceback
from pathlib import Path

from harness.errors import HarnessError, LinkproofError
from harness.report.markdown import LIMIT_BYTES, markdown
from harness.report.page import render_page
from harness.report.results import encode, results
from harness.report.run_folder import RunFolder

PAGE = "report.html"
RESULTS = "results.json"
SUMMARY = "summary.md"


def publish(folder: RunFolder, *, step_summary: Path | None = None) -> Path:
    """Judge a run again and write its page into its folder, with its results for machines; return the page's path.

    ``step_summary`` is the file that GitHub shows as the summary of a step: its Markdown is appended there too.

    Raises:
        UsageError: there is no run in this folder, or its evidence was altered.
        HarnessError: the page cannot be made or written. What was said of the run before stands.
    """
    try:
        info = folder.read_info()
        played = folder.played()
        summary = folder.summary(played)
        found = results(info, summary, played, folder.profile())
        (folder.path / RESULTS).write_bytes(encode(found))
        (folder.path / SUMMARY).write_text(markdown(found, summary), encoding="utf-8")
        if step_summary is not None:
            with step_summary.open("a", encoding="utf-8") as file:
                gap = "\n" if file.tell() else ""
                file.write(gap + markdown(found, summary, limit_bytes=LIMIT_BYTES - file.tell() - len(gap)))
        path = folder.path / PAGE
        path.write_text(render_page(summary, info, played, folder.profile()), encoding="utf-8")
        return path
    except LinkproofError:
        raise
    except Exception as error:
        # Whatever it is: the run has its verdict, and nobody may take this for one.
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise HarnessError(
            f"the report of {folder.path} cannot be written: {type(error).__name__}: {error}",
            why=f"it came from {Path(place.filename).name}, line {place.lineno}; the verdict and the evidence stand",
            mend=f"linkproof report {folder.path}",
        ) from error
