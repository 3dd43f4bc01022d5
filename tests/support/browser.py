"""A real browser for tests: the system's Chromium, driven over its own debugging protocol.

Nothing of it is downloaded but by the system's package manager, and where it cannot be had the tests fail and say so.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
]
KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), "/": (191, "/")}


class NoBrowser(Exception):
    """There is no Chromium, and it could not be installed."""


def chromium() -> str:
    """The path of Chromium; installed first where it is missing and this user may."""
    found = _on_path()
    if found is None:
        _install()
        found = _on_path()
    if found is None:
        raise NoBrowser(
            "these tests need Chromium, and it is neither on PATH nor can it be installed here;"
            " install it with the system's package manager (Debian and Ubuntu: apt-get install chromium)"
        )
    return found


def _on_path() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def _install() -> None:
    apt = shutil.which("apt-get")
    rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if apt is None or (rights and shutil.which("sudo") is None):
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run([*rights, apt, *command], env=environment, capture_output=True, timeout=600, check=False)


class Browser:
    """One running Chromium; every page is a tab of its own."""

    def __init__(self, folder: Path) -> None:
        command = [chromium(), *QUIET, f"--user-data-dir={folder}", "--remote-debugging-port=0", "about:blank"]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self._open = ExitStack()
        self._connection = self._open.enter_context(connect(self._address(), max_size=None, proxy=None))
        self._numbers = itertools.count(1)
        self._events: deque[dict[str, Any]] = deque()

    def _address(self) -> str:
        assert self._process.stderr
        said = []
        for line in self._process.stderr:
            if line.startswith("DevTools listening on "):
                return line.split()[-1]
            said.append(line)
        raise NoBrowser(f"Chromium did not start:\n{''.join(said)}")

    def page(self, url: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> Page:
        """A new tab that shows a URL at a size in CSS pixels."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        page.call("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.call("Emulation.setEmulatedMedia", {"features": [scheme]})
        page.call("Page.navigate", {"url": url})
        page.until("document.readyState === 'complete' && location.href !== 'about:blank'")
        return page

    def call(self, method: str, parameters: dict[str, Any] | None = None, session: str | None = None) -> Any:
        """The result of one command; events that come meanwhile are kept for the pages."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters or {}}
        self._connection.send(json.dumps(message | ({"sessionId": session} if session else {})))
        while True:
            answer = json.loads(self._connection.recv(timeout=30))
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self._events.append(answer)

    def events(self, session: str) -> list[dict[str, Any]]:
        """What has happened on one page so far."""
        return [event for event in self._events if event.get("sessionId") == session]

    def close(self) -> None:
        self._open.close()
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stderr
        self._process.stderr.close()


class Page:
    """One tab."""

    def __init__(self, browser: Browser, session: str) -> None:
        self.browser = browser
        self.session = session

    def call(self, method: str, parameters: dict[str, Any] | None = None) -> Any:
        return self.browser.call(method, parameters, self.session)

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression, promises awaited."""
        asked = {"expression": script, "returnByValue": True, "awaitPromise": True}
        answer = self.call("Runtime.evaluate", asked)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, script: str, seconds: float = 10) -> None:
        """Wait for an expression to be truthy."""
        end = time.monotonic() + seconds
        while not self.evaluate(f"Boolean({script})"):
            assert time.monotonic() < end, f"still not so after {seconds} s: {script}\n{self.text('body')}"
            time.sleep(0.02)

    def text(self, selector: str) -> str:
        """What a reader sees in the first element of a kind; empty where there is none."""
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def click(self, selector: str) -> None:
        """Press the mouse in the middle of an element."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.until(element)
        self.evaluate(f"{element}.scrollIntoView({{block: 'center'}})")
        box = self.evaluate(f"{element}.getBoundingClientRect().toJSON()")
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", {"type": kind, "button": "left", "clickCount": 1, **place})

    def press(self, key: str) -> None:
        """Press one key."""
        code, text = KEYS[key]
        pressed = {"key": key, "windowsVirtualKeyCode": code, "text": text}
        self.call("Input.dispatchKeyEvent", {"type": "keyDown", **pressed})
        self.call("Input.dispatchKeyEvent", {"type": "keyUp", **pressed})

    def write(self, text: str) -> None:
        """Write into what has the focus."""
        self.call("Input.insertText", {"text": text})

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Keep a picture of what is seen, or of the whole page."""
        picture = self.call("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole})
        path.write_bytes(base64.b64decode(picture["data"]))

    def faults(self) -> list[str]:
        """Errors of scripts, of the security policy, and of what could not be loaded."""
        found = []
        for event in self.browser.events(self.session):
            if event["method"] == "Runtime.exceptionThrown":
                found.append(str(event["params"]["exceptionDetails"]))
            elif event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
                found.append(event["params"]["entry"]["text"])
        return found
