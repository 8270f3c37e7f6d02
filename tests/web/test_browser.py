"""In a real browser, with the content policy switched off: escaping alone has to hold."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from monitor.domain.case import Action, act
from monitor.model import Author, Source
from tests.factories import NOON, a_mention
from tests.web.attacks import ATTACKS
from tests.web.desk import POLICY, Office
from tests.web.test_race import served

CHROMIUM = shutil.which("chromium") or shutil.which("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium"),
]
HOOK = "for (const name of ['alert', 'confirm', 'prompt']) window[name] = () => console.log('it ran');"
LOOK = """() => ({
  hrefs: [...document.querySelectorAll('[href],[src],[action],[formaction]')].flatMap((e) =>
    ['href', 'src', 'action', 'formaction'].map((n) => e.getAttribute(n) || '')).filter((v) =>
    /^[\\s\\u0000-\\u0020]*(javascript|data|vbscript):/i.test(v.replace(/[\\t\\r\\n]/g, ''))),
  scripts: [...document.scripts].map((s) => s.getAttribute('src')),
  handlers: [...document.querySelectorAll('*')].flatMap((e) => [...e.attributes]).filter((a) =>
    /^on|^style$/i.test(a.name)).length,
  strange: document.querySelectorAll('iframe,object,embed,base,style,img,video,audio,math,meta[http-equiv]').length,
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


class Watched:
    """A page of which is known what ran in it and where it went."""

    def __init__(self, browser: Any, port: int) -> None:
        self.port = port
        self.ran: list[str] = []
        self.asked: list[str] = []
        self.context = browser.new_context(bypass_csp=True, base_url=f"http://127.0.0.1:{port}")
        self.context.set_default_timeout(6_000)
        self.context.add_init_script(HOOK)
        self.context.add_cookies([{"name": "agent", "value": "Noor", "url": f"http://127.0.0.1:{port}"}])
        self.context.route(lambda url: urlsplit(url).netloc != f"127.0.0.1:{port}", lambda route: route.abort())
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.ran.append(message.text) if message.text == "it ran" else None)
        self.page.on("dialog", lambda dialog: (self.ran.append(dialog.type), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def outside(self) -> list[str]:
        return [url for url in self.asked if urlsplit(url).netloc != f"127.0.0.1:{self.port}"]


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, int]]:
    """Each attack in every field of a mention, in a note, and all of them in the name of the source."""
    source = Source(id="praatpaal", connector="x", name=" ".join(ATTACKS), channel=ATTACKS[0])
    office = Office(tmp_path_factory.mktemp("attacked"), source=source)
    office.fill(
        [
            a_mention(
                native_id=str(n),
                text=f"{attack} pakket",
                title=attack,
                url=attack,
                channel=attack,
                published_at=NOON - timedelta(minutes=n),
                author=Author(native_id=str(n), name=attack, handle=attack, url=attack, followers=1_000 * n),
            )
            for n, attack in enumerate(ATTACKS)
        ]
    )
    for case in office.cases():
        attack = ATTACKS[(case.id - 1) % len(ATTACKS)]
        for name in ("note", "assign"):
            action = Action(name=name, actor=attack, note=attack, value=attack)
            case = office.store.cases.move(*act(case, action, NOON, POLICY, office.calendar))  # noqa: PLW2901
    with served(office.app) as port:
        yield office, port
    office.close()


def test_the_attacks_run_where_nothing_escapes_them(browser: Any, attacked: tuple[Office, int]):
    """Without this control the silence below would prove nothing."""
    watched = Watched(browser, attacked[1])
    fired, shown = 0, [""]

    def answer(route: Any) -> None:
        if urlsplit(route.request.url).path == "/control":
            route.fulfill(body=shown[0], content_type="text/html; charset=utf-8")
        else:
            route.abort()

    watched.context.route("**/*", answer)
    for attack in ATTACKS:
        watched.ran.clear()
        shown[0] = f"<!doctype html><title>control</title><body><a href='{attack}'>{attack}</a>"
        # A page of its own for each: some attacks send their page elsewhere, also while the next one opens.
        page = watched.context.new_page()
        page.on("console", lambda message: watched.ran.append(message.text) if message.text == "it ran" else None)
        page.on("request", lambda request: watched.asked.append(request.url))
        page.goto("/control", wait_until="commit")
        page.wait_for_timeout(60)
        page.close()
        fired += bool(watched.ran)
    watched.context.close()
    assert fired >= 15, fired
    assert len({urlsplit(url).path for url in watched.outside()}) >= 5


def _paths(office: Office) -> list[str]:
    alert = office.store.alerts.newest(1)[0].id
    found = [
        "/",
        "/?q=pakket",
        "/?view=unassigned",
        "/alerts",
        f"/alerts/{alert}",
        "/sources",
        "/search?q=pakket",
        "/me",
    ]
    found += [f"/cases/{case.id}" for case in office.cases()]
    found += [f"/search?q={quote(attack, safe='')}" for attack in ATTACKS[::3]]
    found += [f"/?q={quote(attack, safe='')}" for attack in ATTACKS[::6]]
    return found


def test_nothing_that_strangers_write_ever_runs(browser: Any, attacked: tuple[Office, int]):
    office, port = attacked
    watched = Watched(browser, port)
    for path in _paths(office):
        watched.page.goto(path, wait_until="load")
        seen = watched.page.evaluate(LOOK)
        assert seen == {"hrefs": [], "scripts": ["/static/app.js"], "handlers": 0, "strange": 0}, path
    watched.page.goto("/", wait_until="load")
    assert len(watched.page.query_selector_all(".row")) == 50
    watched.page.wait_for_timeout(200)
    watched.context.close()
    assert watched.ran == []
    assert watched.outside() == []


def test_a_whole_shift_on_the_keyboard(browser: Any, office: Office):
    with served(office.app) as port:
        watched = Watched(browser, port)
        page = watched.page
        page.goto("/", wait_until="load")
        page.keyboard.press("j")
        first = page.get_attribute(".row[data-on]", "id")
        assert first is not None
        case_id = int(first.removeprefix("case-"))
        page.keyboard.press("j")
        assert page.get_attribute(".row[data-on]", "id") != first
        page.keyboard.press("k")
        assert page.get_attribute(".row[data-on]", "id") == first
        with page.expect_navigation():
            page.keyboard.press("c")
        assert _case(office, case_id).assignee == "Noor"
        with page.expect_navigation():
            page.keyboard.press("z")
        assert _case(office, case_id).assignee is None
        page.keyboard.press("?")
        assert page.locator("#help").is_visible()
        page.keyboard.press("Escape")
        assert not page.locator("#help").is_visible()
        page.goto(f"/cases/{case_id}", wait_until="load")
        page.keyboard.press("n")
        page.keyboard.type("je c e z")
        assert page.input_value("#words") == "je c e z"
        assert _case(office, case_id).status.value == "new"
        with page.expect_navigation():
            page.keyboard.press("Control+Enter")
        assert office.store.cases.events(case_id)[-1].note == "je c e z"
        page.goto(f"/cases/{case_id}", wait_until="load")
        with page.expect_navigation():
            page.keyboard.press("e")
        assert _case(office, case_id).status.value == "resolved"
        watched.context.close()


def _case(office: Office, case_id: int) -> Any:
    found = office.store.cases.get(case_id)
    assert found is not None
    return found
