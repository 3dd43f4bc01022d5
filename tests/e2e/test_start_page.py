"""The start page in a real browser, on a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from livery import open_registry
from tests.http.live import served
from tests.support.browser import Browser, Page

CODER = "#listing a[data-profile='coder']"
SHOWN = "[...document.querySelectorAll('.name')].map((link) => link.dataset.profile).join()"
FITS = "document.documentElement.scrollWidth <= innerWidth"


def resolution(page: Page) -> str:
    page.until("document.querySelector('.values') && !document.querySelector('#resolution[aria-busy]')")
    return page.text("#resolution")


def test_the_list_and_the_runtime_of_a_chosen_profile_appear(browser: Browser, url: str, team: Path) -> None:
    page = browser.page(url)
    assert page.evaluate(SHOWN) == "base,coder,reader,local"
    assert "Choose a profile" in page.text("#resolution")
    page.click(CODER)
    shown = resolution(page)
    for text in (
        "default/coder",
        "gpt-5",
        f"profile default/coder · {team}:18",
        "You are careful.",
        "base default/base",
    ):
        assert text in shown
    assert page.evaluate("location.search") == "?profile=default%2Fcoder"
    assert page.faults() == []


def test_an_address_names_a_profile_and_every_value_tells_its_history(browser: Browser, url: str) -> None:
    page = browser.page(f"{url}/?profile=default/coder")
    assert "top_p" not in resolution(page)
    page.click("details[data-path='chat.engine'] summary")
    history = page.text("details[data-path='chat.engine']")
    assert "Rule: the highest layer that sets it." in history
    assert [word in history for word in ("gpt-4", "gpt-5-mini", "schema default")] == [True] * 3
    page.click(".toggle input")
    assert "top_p" in page.text("#resolution")


def test_a_search_runs_while_one_types_and_the_way_back_leads_back(browser: Browser, url: str) -> None:
    page = browser.page(url)
    page.press("/")
    page.write("review")
    page.until(f"{SHOWN} === 'coder'")
    assert page.evaluate("location.search") == "?q=review"
    assert page.text("h1") == "1 profile matching “review”"
    page.until("document.querySelector('[role=status]').textContent === '1 profile matching “review”'")
    page.click("#listing .tag[href*='dev']")
    page.until("location.search.includes('tag=dev')")
    page.evaluate("history.back()")
    page.until("location.search === '?q=review'")
    page.evaluate("(document.querySelector('#q').value = '', document.querySelector('.search button').click())")
    page.until(f"{SHOWN} === 'base,coder,reader,local'")
    page.click("#registries li:last-child a")
    page.until(f"{SHOWN} === 'local'")
    assert page.faults() == []


def test_the_keyboard_is_enough(browser: Browser, url: str) -> None:
    page = browser.page(f"{url}/?q=coder")
    for _ in range(30):
        page.press("Tab")
        if page.evaluate("document.activeElement.dataset.profile") == "coder":
            break
    page.press("Enter")
    assert "default/coder" in resolution(page)
    assert page.evaluate("document.activeElement.id") == "resolution-heading"


def test_an_edit_of_the_file_shows_without_reloading(browser: Browser, url: str, team: Path) -> None:
    page = browser.page(f"{url}/?profile=default/coder")
    resolution(page)
    page.evaluate("window.sameDocument = true")
    team.write_text(team.read_text().replace("gpt-5}", "gpt-6}"))
    page.until("document.querySelector('#results').innerText.includes('openai · gpt-6')")
    team.write_text(team.read_text().replace("You are careful.", "You are bold."))
    page.until("document.querySelector('#resolution').innerText.includes('You are bold.')")
    team.write_text("registries: [")
    page.until("document.querySelector('#results').innerText.includes('its last good state is shown')")
    assert "1 to look after" in page.text("#sources")
    assert "You are bold." in page.text("#resolution")
    assert page.evaluate("window.sameDocument")


def test_a_broken_profile_says_why_it_has_no_runtime(browser: Browser, team: Path) -> None:
    team.write_text(team.read_text().replace("{engine: gpt-5}", "{enginee: gpt-5}"))
    with served(open_registry(f"yaml:{team}")) as url:
        page = browser.page(f"{url}/?profile=default/coder")
        page.until("document.querySelector('#resolution [role=alert]')")
        assert "did you mean 'engine'?" in page.text("#resolution [role=alert]")


def test_a_server_that_has_gone_is_told_and_can_be_tried_again(browser: Browser, team: Path) -> None:
    with served(open_registry(f"yaml:{team}")) as url:
        page = browser.page(url)
    page.click(CODER)
    page.until("document.querySelector('#resolution [role=alert]')")
    assert "The server cannot be reached" in page.text("#resolution")
    assert page.text("#resolution button") == "Try again"


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_fits_every_width(browser: Browser, url: str, width: int) -> None:
    page = browser.page(f"{url}/?profile=default/coder", width=width, height=800)
    resolution(page)
    assert page.evaluate(FITS)


def test_dark_is_dark_and_light_is_light(browser: Browser, url: str) -> None:
    ground = "Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
    assert browser.page(url, dark=True).evaluate(ground) < 60
    assert browser.page(url).evaluate(ground) > 200


def test_everything_that_can_be_used_has_a_name(browser: Browser, url: str) -> None:
    page = browser.page(f"{url}/?profile=default/coder")
    resolution(page)
    used = {"link", "button", "searchbox", "textbox", "checkbox", "DisclosureTriangle"}
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    found = [node for node in nodes if node.get("role", {}).get("value") in used and not node.get("ignored")]
    assert len(found) > 10
    assert [node for node in found if not node.get("name", {}).get("value")] == []
