"""A real browser without a window (Chromium), over its debugging pipe: how wide is the page, what does it look like, what did it refuse?

    with Browser() as browser:
        page = browser.open(url, width=390, dark=True)
        assert page.overflow() == 0
"""
import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile

from . import proc

NAMES = ("chromium", "chromium-browser", "google-chrome")


def program():
    """None: there is none here."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="jk-browser-", dir="/tmp")
        to_it, ours_out = os.pipe()
        ours_in, from_it = os.pipe()
        argv = [program(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-dev-shm-usage",
                "--disable-background-networking", "--disable-component-update", "--no-proxy-server", "--remote-debugging-pipe",
                f"--user-data-dir={self.home}", "about:blank"]
        ends = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (to_it, from_it)]  # none of them is 3 or 4, where the browser looks

        def place():
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)
        self.child = proc.spawn(argv, pass_fds=(3, 4), preexec_fn=place, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        for fd in ends:
            os.close(fd)
        os.close(to_it)
        os.close(from_it)
        self.input, self.output = os.fdopen(ours_in, "rb", buffering=0), os.fdopen(ours_out, "wb", buffering=0)
        self.held, self.number, self.events = b"", 0, []

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()

    def close(self):
        """It is asked to end: killed, it would leave its children to nobody."""
        try:
            self.ask("Browser.close")
            self.child.wait(10)
        except (OSError, RuntimeError, AssertionError, subprocess.TimeoutExpired):
            pass
        self.input.close()
        self.output.close()
        proc.stop(self.child)
        shutil.rmtree(self.home, ignore_errors=True)

    def _message(self):
        while b"\0" not in self.held:
            got = self.input.read(65536)
            if not got:
                raise RuntimeError("the browser has ended")
            self.held += got
        text, self.held = self.held.split(b"\0", 1)
        return json.loads(text)

    def ask(self, method, session=None, **params):
        self.number += 1
        self.output.write(json.dumps({"id": self.number, "method": method, "params": params, **({"sessionId": session} if session else {})}).encode() + b"\0")
        while True:
            message = self._message()
            if message.get("id") == self.number:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    def wait(self, method, session):
        """The next event of this name; those that came meanwhile count."""
        while True:
            for i, message in enumerate(self.events):
                if message.get("method") == method and message.get("sessionId") == session:
                    return self.events.pop(i)["params"]
            self.events.append(self._message())

    def open(self, url, width=1280, height=900, dark=False, scale=1):
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = BrowserPage(self, session)
        for domain in ("Page", "Runtime", "Log"):
            page.ask(f"{domain}.enable")
        page.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=width < 600)
        page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        page.go(url)
        return page


class BrowserPage:
    def __init__(self, browser, session):
        self.browser, self.session = browser, session

    def ask(self, method, **params):
        return self.browser.ask(method, self.session, **params)

    def go(self, url):
        self.browser.events = [e for e in self.browser.events if e.get("method") != "Page.loadEventFired"]
        self.ask("Page.navigate", url=url)
        self.browser.wait("Page.loadEventFired", self.session)

    def value(self, expression):
        """Of JavaScript, by the debugger: the page itself may run none."""
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def overflow(self):
        """Pixels that the page is wider than its window."""
        return self.value("document.documentElement.scrollWidth - innerWidth")

    def wide(self):
        """What sticks out of the window, but for what lies in a container that scrolls."""
        return self.value("""[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, .unseen'))
                             .map(e => e.tagName + '.' + e.className + ': ' + e.textContent.slice(0, 40))""")

    def complaints(self):
        """What the browser said of the page: a style that its policy forbids, a file that is not there."""
        return [e["params"]["entry"]["text"] for e in self.browser.events if e.get("method") == "Log.entryAdded" and e.get("sessionId") == self.session]

    def shot(self, path, whole=False):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **self._clip(whole))["data"]))

    def _clip(self, whole):
        if not whole:
            return {}
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}
