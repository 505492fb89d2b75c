"""A real browser for tests of pages: what it says on its console, what it asks of the network, what one sees.

It speaks the DevTools protocol over two pipes, which takes a hundred lines.  Selenium and Playwright would each bring a
driver to download that must fit the browser's version.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",  # the sandbox does not start for root in a container; the pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
PATIENCE_S = 60.0


def find_browser() -> str | None:
    """Return the program of an installed browser."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


needs_browser = pytest.mark.skipif(
    find_browser() is None, reason=f"needs a browser: one of {', '.join(PROGRAMS)} (apt install chromium)"
)


@dataclass
class Visit:
    """What happened while a page was open.

    Attributes
    ----------
    console : list of str
        Messages of the console, exceptions and the browser's own warnings, each with its level.
    requests : list of str
        Addresses asked for, the page itself and ``data:`` left out.
    """

    browser: Browser
    session: str
    url: str
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression on the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    @property
    def width(self) -> int:
        """Width of the page in CSS pixels: more than the window's when it scrolls sideways."""
        return int(self.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"))

    def screenshot(self, path: Path) -> Path:
        """Write what the whole page looks like as PNG."""
        shot = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def pdf(self, path: Path) -> Path:
        """Write the page as it is printed."""
        printed = self._call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        path.write_bytes(base64.b64decode(printed["data"]))
        return path

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        return self.browser.call(method, session=self.session, **params)

    def take(self, method: str, params: dict[str, Any]) -> None:
        """Take an event of the browser."""
        if method == "Runtime.consoleAPICalled":
            said = " ".join(str(part.get("value", part.get("description", ""))) for part in params["args"])
            self.console.append(f"{params['type']}: {said}")
        elif method == "Runtime.exceptionThrown":
            self.console.append(f"exception: {params['exceptionDetails'].get('text', '')}")
        elif method == "Log.entryAdded":
            entry = params["entry"]
            self.console.append(f"{entry['level']}: {entry['text']}")
        elif method == "Audits.issueAdded":
            self.console.append(f"issue: {params['issue']['code']}")
        elif method == "Network.requestWillBeSent":
            address = params["request"]["url"]
            if not address.startswith("data:") and address != self.url:
                self.requests.append(address)


class Browser:
    """A running browser, to be closed after use."""

    def __init__(self, program: str) -> None:
        self._profile = tempfile.mkdtemp(prefix="browser-")
        self._visits: dict[str, Visit] = {}
        self._loaded: set[str] = set()
        self._last = 0
        self._buffer = b""
        its_input, self._write = os.pipe()
        self._read, its_output = os.pipe()
        self._pid = _spawn([program, *FLAGS, f"--user-data-dir={self._profile}", "about:blank"], its_input, its_output)
        os.close(its_input)
        os.close(its_output)

    def call(self, method: str, *, session: str = "", **params: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its answer; events that come first go to their visits."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        _write_all(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._last:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])

    @contextlib.contextmanager
    def visit(
        self, page: Path, *, width: int = 1200, height: int = 900, media: str = "", dark: bool = False
    ) -> Iterator[Visit]:
        """Open a page from its file, in a window of this many CSS pixels."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        visit = self._visits[session] = Visit(self, session, page.resolve().as_uri())
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(f"{domain}.enable", session=session)
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", session=session, **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", session=session, media=media, features=[scheme])
        self._loaded.discard(session)
        self.call("Page.navigate", session=session, url=visit.url)
        while session not in self._loaded:
            self._receive()
        visit.evaluate("new Promise(done => setTimeout(done, 100))")  # what a planted script would do late
        try:
            yield visit
        finally:
            self.call("Target.closeTarget", targetId=target)

    def close(self) -> None:
        """End the browser and remove its profile."""
        with contextlib.suppress(AssertionError, OSError):
            self.call("Browser.close")
        os.close(self._write)
        os.close(self._read)
        deadline = time.monotonic() + 5
        while os.waitpid(self._pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.kill(self._pid, signal.SIGKILL)
            time.sleep(0.02)
        shutil.rmtree(self._profile, ignore_errors=True)

    def _receive(self) -> dict[str, Any]:
        """Return the next message; events go to their visits on the way."""
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], PATIENCE_S)
            assert ready, f"the browser has said nothing for {PATIENCE_S:g} s"
            more = os.read(self._read, 1 << 16)
            assert more, "the browser has ended"
            self._buffer += more
        first, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        session = message.get("sessionId", "")
        if session in self._visits and "method" in message:
            self._visits[session].take(message["method"], message.get("params", {}))
            if message["method"] == "Page.loadEventFired":
                self._loaded.add(session)
        return message


@contextlib.contextmanager
def open_browser() -> Iterator[Browser]:
    """Start a browser; skip the test, with the reason, where there is none."""
    program = find_browser()
    if program is None:
        pytest.skip(f"needs a browser: one of {', '.join(PROGRAMS)}")
    browser = Browser(program)
    try:
        yield browser
    finally:
        browser.close()


def _spawn(command: list[str], its_input: int, its_output: int) -> int:
    """Start a program that reads messages from descriptor 3 and writes them to descriptor 4."""
    high = [fcntl.fcntl(pipe, fcntl.F_DUPFD_CLOEXEC, 10) for pipe in (its_input, its_output)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, high[0], 3), (os.POSIX_SPAWN_DUP2, high[1], 4)]
    actions += [(os.POSIX_SPAWN_DUP2, nowhere, stream) for stream in (1, 2)]
    try:
        return os.posix_spawn(command[0], command, dict(os.environ), file_actions=actions)
    finally:
        for descriptor in (*high, nowhere):
            os.close(descriptor)


def _write_all(descriptor: int, message: bytes) -> None:
    while message:
        message = message[os.write(descriptor, message) :]
