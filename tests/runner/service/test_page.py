"""The web page, in a real browser."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ARTEFACTS = Path(__file__).resolve().parents[3] / "test-artefacts"
NASTY = '<b>&"'
DESKTOP = {"width": 1200, "height": 900}
PHONE = {"width": 360, "height": 740}
RUN_MS = 60_000
CONTRAST = """
() => {
  const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const channel = (v) => linear(v / 255);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const words = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!words || !element.checkVisibility() || element.closest("svg, noscript, .skip")) continue;
    if (element.disabled) continue;
    const a = light(parse(getComputedStyle(element).color)), b = light(ground(element));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push(`${element.tagName} ${element.textContent.slice(0, 30)} ${ratio}`);
  }
  return low;
}
"""
UNNAMED = """
() => [...document.querySelectorAll("input, select, button")].filter((e) =>
  !(e.labels?.length || e.textContent.trim() || e.ariaLabel)).map((e) => e.outerHTML)
"""


class Watched:
    """A page whose requests and console are watched."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text)
                if message.type == "error" else None)  # fmt: skip

    def open(self, path: str) -> Page:
        """Open a view."""
        self.page.goto(f"{self.url}/{path}")
        return self.page

    def keep(self, name: str) -> None:
        """Keep a screenshot."""
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=True)

    def check(self) -> None:
        """Nothing was asked of another server, and nothing went wrong."""
        assert self.errors == []
        foreign = [url for url in self.requests if not url.startswith((self.url, "blob:"))]
        assert foreign == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("chromium is missing: the page's tests drive it; apt install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Browser, service: Any) -> Iterator[Callable[..., Watched]]:
    """Open the page of the shared runner, or of another, with options of a browser context."""
    contexts = []

    def visit(url: str = "", **options: Any) -> Watched:
        contexts.append(browser.new_context(**{"viewport": DESKTOP, **options}))
        return Watched(contexts[-1].new_page(), url or service.url)

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def scored(service: Any) -> str:
    """A run of a badly named model that is done."""
    with httpx.Client(base_url=f"{service.url}/api/v1", timeout=60) as http:
        run = http.post("/runs", json={**service.quick, "model": NASTY}).json()
        http.get(f"/runs/{run['run_id']}/events", timeout=120)
    return str(run["run_id"])


def test_a_run_is_started_by_keyboard_and_followed_to_its_score(
    visit: Callable[..., Watched],
) -> None:
    """From the form, by keyboard alone, to phase, power curve and score, then to the ranking."""
    watched = visit()
    page = watched.open("")
    expect(page.get_by_label("Workload", exact=True)).to_have_value("quick")
    page.get_by_label("Model", exact=True).focus()
    page.keyboard.type("other")
    for label, value in (("Repeats", "3"), ("Least window, s", "1"),
                         ("Idle baseline before, s", "1"), ("Idle baseline after, s", "1"),
                         ("Labels", "from=page, by=keyboard")):  # fmt: skip
        page.get_by_label(label).focus()
        page.keyboard.press("Control+A")
        page.keyboard.type(value)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("other on quick")
    expect(page.locator("#stage")).to_have_text("measuring other", timeout=RUN_MS)
    expect(page.locator("progress")).to_be_visible()
    watched.keep("run-under-way")
    expect(page.locator("#state")).to_have_text("done", timeout=RUN_MS)
    expect(page.locator("#verdict")).to_contain_text(re.compile("warned|invalid"))
    expect(page.locator("#score")).to_contain_text("ESTIMATED")
    expect(page.locator("path.curve")).to_have_count(1)
    assert page.locator("rect.phase.inference").count() >= 3
    expect(page.get_by_text("from=page")).to_be_visible()
    watched.keep("run-done")
    page.get_by_role("link", name="Ranking").click()
    section = page.locator("section", has=page.get_by_role("heading", name="quick · boundary cpu"))
    expect(section.get_by_role("heading", level=2)).to_contain_text("ESTIMATED")
    expect(section.get_by_role("link", name="other")).to_be_visible()
    watched.keep("ranking")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as CSV").click()
    assert "other" in Path(download.value.path()).read_text()
    watched.check()


def test_a_refusal_is_shown_at_its_field(visit: Callable[..., Watched]) -> None:
    """The field is marked, described by the message, and focused; nothing is started."""
    watched = visit()
    page = watched.open("")
    page.get_by_label("Repeats").fill("0")
    page.get_by_role("button", name="Start").click()
    repeats = page.get_by_label("Repeats")
    expect(repeats).to_have_attribute("aria-invalid", "true")
    expect(repeats).to_be_focused()
    expect(page.locator("#f-repeats-error")).to_contain_text("greater than or equal to 1")
    assert "#/runs/" not in page.url
    assert len(watched.errors) == 1  # the browser's own word about the answer 422


def test_a_run_is_cancelled_from_its_page(visit: Callable[..., Watched]) -> None:
    """The button is there as long as there is something to cancel."""
    watched = visit()
    page = watched.open("")
    page.get_by_label("Idle baseline before, s").fill("300")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#state")).to_have_text("running", timeout=RUN_MS)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#state")).to_have_text("cancelled", timeout=RUN_MS)
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    watched.check()


def test_what_a_run_lacks_is_a_dash(visit: Callable[..., Watched], service: Any) -> None:
    """In the table of runs: one that was cancelled has no score, no method and no verdict."""
    with httpx.Client(base_url=f"{service.url}/api/v1", timeout=60) as http:
        run = http.post("/runs", json={**service.quick, "idle_before_seconds": 300}).json()
        http.post(f"/runs/{run['run_id']}/cancel")
        http.get(f"/runs/{run['run_id']}/events", timeout=120)
    row = visit().open("#/runs").get_by_role("row", name=run["run_id"])
    expect(row.get_by_text("–", exact=True)).to_have_count(3)


def test_runs_are_found_by_filter(visit: Callable[..., Watched], scored: str) -> None:
    """The table shows what the filter asks for, and a bad name as what it is."""
    watched = visit()
    page = watched.open("#/runs")
    page.get_by_label("State").select_option("done")
    page.get_by_label("Model").fill(NASTY)
    page.get_by_role("button", name="Show", exact=True).click()
    row = page.get_by_role("row", name=scored)
    expect(row).to_contain_text(NASTY)
    assert page.locator("td b").count() == 0
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{NASTY} on quick")
    page.get_by_text("Log of the worker").click()
    expect(page.locator("#log pre")).to_contain_text("a line for the log")
    page.get_by_text("Record: what is needed").click()
    expect(page.locator("#record")).to_contain_text("cpus_visible")
    watched.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("path", ["", "#/runs", "#/runs/RUN", "#/ranking"])
def test_every_view_fits_and_can_be_read(
    visit: Callable[..., Watched], scored: str, path: str, size: str, scheme: str
) -> None:
    """No sideways scrolling of the page, contrast of at least 4.5, names for all controls, one
    heading of the first level, a language."""
    viewport = DESKTOP if size == "desktop" else PHONE
    watched = visit(viewport=viewport, color_scheme=scheme)
    page = watched.open(path.replace("RUN", scored))
    page.wait_for_load_state("networkidle")
    expect(page.get_by_text("Loading…")).to_have_count(1 if "RUN" in path else 0)  # a closed log
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(UNNAMED) == []
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert page.locator("html").get_attribute("lang") == "en"
    name = path.strip("#/").replace("/RUN", "") or "start"
    watched.keep(f"{name if 'RUN' not in path else 'run'}-{size}-{scheme}")
    watched.check()


def test_a_key_is_asked_for(visit: Callable[..., Watched], make_rooms: Callable[[], Any]) -> None:
    """Where the runner wants a key the page asks, and goes on with it."""
    rooms = make_rooms()
    rooms.end("wattmark_runner")
    keys = rooms.data / "keys"
    keys.write_text("run a-key-of-the-tests\n")
    keys.chmod(0o600)
    page = visit(rooms.start_runner("--key-file", str(keys))).open("#/runs")
    page.get_by_label("Key of this runner").fill("a-key-of-the-tests")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No run is like that.")).to_be_visible()
    page.get_by_role("link", name="Start a run").click()
    expect(page.get_by_label("Workload", exact=True)).to_be_visible()
    expect(page.get_by_label("Key of this runner")).to_be_hidden()


def test_a_runner_that_is_gone_is_shown_and_found_again(
    visit: Callable[..., Watched], make_rooms: Callable[[], Any]
) -> None:
    """A run that is followed through a restart ends as it really did."""
    rooms = make_rooms()
    listen = rooms.url.removeprefix("http://")
    page = visit(rooms.url).open("")
    page.get_by_label("Idle baseline before, s").fill("300")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#state")).to_have_text("running", timeout=RUN_MS)
    rooms.end("wattmark_runner", kill=True)
    expect(page.get_by_text("The runner does not answer")).to_be_visible(timeout=RUN_MS)
    rooms.start_runner(listen=listen)
    expect(page.locator("#state")).to_have_text("interrupted", timeout=RUN_MS)
    expect(page.get_by_text("The runner does not answer")).to_be_hidden()
