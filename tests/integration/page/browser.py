"""A headless Chromium: opens a page, counts what it asks for and complains of, and takes pictures of it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

DESK, PHONE = (1200, 900), (390, 844)
WAIT_S = 20.0


class Browser:
    """One tab."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def begin(self) -> None:
        """Forget what was before."""
        self._do("Emulation.setScriptExecutionDisabled", value=False)
        self._do("Emulation.setEmulatedMedia", media="", features=[])
        self.driver.get("about:blank")
        self.look(DESK)
        self.complaints()
        self.requests()

    def look(self, size: tuple[int, int], *, dark: bool = False) -> None:
        """Set how large the window is, and whether its user wants it dark."""
        width, height = size
        self._do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._do("Emulation.setEmulatedMedia", features=[scheme])

    def without_scripts(self) -> None:
        """Run no script of a page."""
        self._do("Emulation.setScriptExecutionDisabled", value=True)

    def on_paper(self) -> bytes:
        """Show the page as it is printed, and return that (PDF)."""
        self._do("Emulation.setEmulatedMedia", media="print", features=[])
        printed = self.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
        return base64.b64decode(printed["data"])

    def open(self, page: Path, anchor: str = "") -> float:
        """Open a page; return how long that took (seconds)."""
        self.driver.get("about:blank")
        self.driver.get(f"{page.as_uri()}{anchor}")
        ended_ms: float = self.js("return performance.getEntriesByType('navigation')[0].loadEventEnd")
        return ended_ms / 1000

    def js(self, script: str, *arguments: object) -> Any:
        """Run a script beside those of the page."""
        return self.driver.execute_script(script, *arguments)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def choose(self, name: str, value: str) -> None:
        """Set a filter."""
        self.js(
            "const field = document.querySelector('.filters').elements[arguments[0]]; field.value = arguments[1];"
            "field.dispatchEvent(new Event('input', {bubbles: true}))",
            name,
            value,
        )

    def wait_for(self, script: str) -> None:
        """Wait until this is true."""
        WebDriverWait(self.driver, WAIT_S).until(lambda _: self.js(f"return {script}"))

    def shown(self) -> list[dict[str, str]]:
        """The scenarios that are to be seen: their names within the page, and what they are found by."""
        seen = "[...document.querySelectorAll('.story')].filter((each) => each.checkVisibility())"
        found: list[dict[str, str]] = self.js(f"return {seen}.map((each) => ({{id: each.id, ...each.dataset}}))")
        return found

    def complaints(self) -> list[str]:
        """What the console has said since this was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def requests(self) -> list[str]:
        """What was asked of anybody since this was last asked."""
        entries = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))  # type: ignore[no-untyped-call]
        sent = (entry["params"] for entry in entries if entry["method"] == "Network.requestWillBeSent")
        return [params["request"]["url"] for params in sent]

    def take(self, path: Path) -> None:
        assert self.driver.save_screenshot(str(path))

    def close(self) -> None:
        self.driver.quit()

    def _do(self, command: str, **arguments: object) -> None:
        self.driver.execute_cdp_cmd(command, arguments)


def start(chromium: str, driver: str) -> Browser:
    """Start a Chromium by its driver, both of this machine: nothing is fetched."""
    options = ChromeOptions()
    options.binary_location = chromium
    # As root there is no sandbox, and a container has little shared memory.
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return Browser(Chrome(options=options, service=Service(driver)))
