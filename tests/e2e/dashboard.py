"""A browser for tests of the dashboard: Playwright and axe-core, which `./run deps` installs, with Debian's chromium."""
import os
import shutil
import site
import sys
import time
from pathlib import Path

from palisade import BUILD, PATIENCE, SOURCE

CLIENTS = Path(os.environ.get("PALISADE_CLIENTS", SOURCE / "build" / "clients"))
CHROMIUM = os.environ.get("PALISADE_CHROMIUM") or shutil.which("chromium")
AXE = CLIENTS / "node_modules" / "axe-core" / "axe.min.js"
SCREENS = BUILD / "dashboard"
SKIPPED = 77
# What axe calls the rules of WCAG 2.2, and its own advice.
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

for packages in (CLIENTS / "venv" / "lib").glob("python3*/site-packages"):
    sys.path.append(str(packages))  # after Debian's own
try:
    from playwright.sync_api import Error, expect, sync_playwright
    expect.set_options(timeout=PATIENCE * 1000)
except ImportError:
    Error = expect = sync_playwright = None

VIOLATIONS = """
window.violations = [];
addEventListener('securitypolicyviolation', event => violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


def or_skip():
    """Ends the program where there is no browser to test with."""
    missing = [what for what, there in (("Playwright", sync_playwright), ("chromium", CHROMIUM), ("axe-core", AXE.exists())) if not there]
    if missing:
        print(f"skipped: {' and '.join(missing)} is not here; ./run deps installs it", file=sys.stderr)
        sys.exit(SKIPPED)


class Browser:
    """chromium, without a window. Every page that is opened is watched: its errors, its requests, what its policy refused."""

    def __init__(self):
        self.playwright = sync_playwright().start()
        # Without a sandbox, which root and containers do not have; the pages are our own.
        self.browser = self.playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])

    def context(self, service=None, token=None, scheme="light", size=(1280, 800), **options):
        """Close it after its test: each has six connections of the 32 that a service gives an address."""
        context = self.browser.new_context(color_scheme=scheme, viewport={"width": size[0], "height": size[1]}, **options)
        context.set_default_timeout(PATIENCE * 1000)
        context.add_init_script(VIOLATIONS)
        if service:
            context.add_cookies([{"name": "palisade_token", "value": token or service.admin, "url": service.url, "httpOnly": True, "sameSite": "Strict"}])
        return context

    def close(self):
        self.browser.close()
        self.playwright.stop()


class Watched:
    """A page of a context, and what went wrong on it."""

    def __init__(self, context, service):
        self.service = service
        self.page = context.new_page()
        self.errors, self.requests = [], []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" and "Failed to load resource" not in message.text else None)
        self.page.on("request", lambda request: self.requests.append(request.url))

    def open(self, where="#/wall"):
        self.page.goto(f"{self.service.url}/{where}")
        self.page.wait_for_selector("#title")
        return self.page

    def foreign(self):
        """Requests to any other origin."""
        return [url for url in self.requests if not url.startswith((self.service.url + "/", f"blob:{self.service.url}/"))]

    def violations(self):
        return self.page.evaluate("window.violations")

    def overflow(self):
        """By how many pixels the page is wider than its window."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def axe(self):
        """What axe-core finds, one line each. It runs in a world of its own, which the page's policy does not bind."""
        session = self.page.context.new_cdp_session(self.page)
        tree = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        world = session.send("Page.createIsolatedWorld", {"frameId": tree, "worldName": "axe"})["executionContextId"]
        session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8"), "contextId": world})
        answer = session.send("Runtime.evaluate", {"contextId": world, "awaitPromise": True, "returnByValue": True, "expression":
                              f"axe.run(document, {{runOnly: {AXE_RULES!r}}}).then(found => found.violations.map(one => one.impact + ' ' + one.id + ': ' + one.nodes.map(node => node.html.slice(0, 160)).slice(0, 3).join(' | ')))"})
        session.detach()
        if "exceptionDetails" in answer:
            raise AssertionError(f"axe failed: {answer['exceptionDetails']}")
        return answer["result"]["value"]

    def screenshot(self, name):
        SCREENS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENS / f"{name}.png")


def until(condition, what, seconds=PATIENCE, page=None):
    """The condition's value, once it is one; a page goes on meanwhile."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        page.wait_for_timeout(50) if page else time.sleep(0.05)
    raise AssertionError(f"did not happen within {seconds} s: {what}")
