"""A real server, a real browser, and a page that fails its test for anything a user would not see but should not be:
an error in the console, a breach of the content security policy, a request to another host.

The browser is Debian's chromium (KHIEN_CHROMIUM names another). Without one the journeys are skipped, but under
CI=true they fail. KHIEN_SCREENSHOTS=1 writes the pictures of the documentation.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

from tests.conftest import _clone, _run_name, _use

ROOT = Path(__file__).resolve().parents[2]
expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong
PHONE = {"width": 320, "height": 640}
DESKTOP = {"width": 1280, "height": 900}

_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-software-rasterizer",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    # A camera that shows a test pattern, so that the scanner's way can be walked without a device.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker drives the browser: two at once are slower than one after the other on two cores."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


_TOLD_BY_STATUS = ("Failed to load resource", "Response Status Error Code")


@dataclass
class Watch:
    """What went wrong on a page. A test that wants a status of 400 or more says so with `expect`."""

    host: str
    also: str = ""  # another host that a journey goes to on purpose: the provider of single sign-on
    faults: list[str] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)

    def expect(self, *statuses: int) -> None:
        self.statuses |= set(statuses)

    def follow(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        page.on("request", self._request)
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        # A status the test expects is told to the console too; `_response` judges it.
        if message.type in ("error", "warning") and not message.text.startswith(_TOLD_BY_STATUS):
            self.faults.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if self.also and urlsplit(request.headers.get("referer", "")).netloc == self.also:
            return  # what the other host's own pages ask for is its business
        if parts.scheme not in ("data", "blob") and parts.netloc not in (self.host, self.also):
            self.faults.append(f"request to another host: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.statuses:
            self.faults.append(f"{response.status}: {response.url}")


def _chromium() -> str:
    named = os.environ.get("KHIEN_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if named and Path(named).exists():
        return named
    message = "Chromium is missing: install Debian's package chromium, or name a browser in KHIEN_CHROMIUM."
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = _chromium()
    flags = [*_FLAGS, "--no-sandbox"] if os.geteuid() == 0 else list(_FLAGS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=flags)
        yield started
        started.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server(fresh_database: str, tmp_path: Path) -> Iterator[str]:
    """The product as it is served, on a database of this test's own. Its address."""
    with _serving(tmp_path / "server.log") as address:
        yield address


@pytest.fixture(scope="session")
def quiet_server(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for all journeys that write nothing: a module says so by its own fixture `server`."""
    _clone(f"{database}_quiet")
    with _serving(tmp_path_factory.mktemp("quiet") / "server.log") as address:
        _use(database)
        yield address


PEOPLE = "4000" if os.environ.get("KHIEN_SCREENSHOTS") != "1" else "100000"


@pytest.fixture(scope="session")
def logins(database: str) -> dict[str, dict[str, str]]:
    """The demonstration as `make demo` prepares it, with fewer people, made once a run; its logins by role."""
    folder = Path(os.environ["KHIEN_TEST_FOLDER"])
    told = folder / "demonstration.json"
    with (folder / "demonstration.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not told.exists():
            _clone(_run_name("demonstration"))
            command = [sys.executable, "-m", "khien", "demo", "--no-serve", "--json", "--people", PEOPLE]
            environment = {**os.environ, "KHIEN_MFA": "off"}
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            told.write_text(done.stdout)
            _use(database)
    return {login["role"]: login for login in json.loads(told.read_text())}


@contextmanager
def playing(database: str, name: str, output: Path) -> Iterator[str]:
    """The demonstration served on a copy of its own, database `name`. Its address."""
    source = _run_name("demonstration")
    _clone(name, of=source)
    figures = Path(os.environ["KHIEN_HOME"]) / "coverage"  # kept beside the database, by its name
    shutil.copytree(figures / source, figures / name)
    with _serving(output) as address:
        _use(database)
        yield address


@contextmanager
def _serving(output: Path, **settings: str) -> Iterator[str]:
    """Granian in a process of its own, on the database that KHIEN_DATABASE_NAME names now; KHIEN_… settings by name."""
    port = _free_port()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.browser.settings",
        "KHIEN_MFA": "off",
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src"))),
        "PYTHONWARNINGS": "default",
        **settings,
    }
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--host", "127.0.0.1"]
    with output.open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), "khien.web.wsgi:application"],
            cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(process, f"{address}/static/khien/mark.svg", output)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    told = output.read_text(errors="replace")
    assert told.count("Traceback") == told.count("RuntimeError: on purpose"), told


def _wait(process: subprocess.Popen[bytes], address: str, output: Path) -> None:
    for _attempt in range(300):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except urllib.error.HTTPError as answer:
            answer.close()
            break
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"The server did not start.\n{output.read_text(errors='replace')}", pytrace=False)


@pytest.fixture
def context(browser: Browser, server: str) -> Iterator[BrowserContext]:
    """A browser as many in the agencies are: set to English by its maker, never changed."""
    opened = browser.new_context(base_url=server, locale="en-US", viewport=DESKTOP, reduced_motion="reduce")
    # The console names some breaches only; this names all, in what the page itself sees.
    opened.add_init_script(
        "document.addEventListener('securitypolicyviolation', (e) =>"
        " console.error(`security policy: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`))"
    )
    yield opened
    opened.close()


@pytest.fixture
def watch(server: str) -> Watch:
    return Watch(urlsplit(server).netloc)


@pytest.fixture
def page(context: BrowserContext, watch: Watch) -> Iterator[Page]:
    opened = context.new_page()
    opened.set_default_timeout(15_000)
    watch.follow(opened)
    yield opened
    opened.close()
    assert watch.faults == []
