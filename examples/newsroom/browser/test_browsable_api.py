"""The browsable API in a real browser: sign in, send the HTML forms, see the new rows.

Run by `make browser`, with the system's Chromium; the newsroom is served as `make serve` does it.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import element_to_be_clickable
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE = 30
IS_ANOTHER_PAGE = "return !window.isToBeLeft && document.readyState === 'complete'"
MANAGE = Path(__file__).resolve().parents[1] / "manage.py"
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,1800")


class Site(NamedTuple):
    """The newsroom, and who may write there."""

    address: str
    user: str
    password: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve the newsroom until the last test."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(  # noqa: S603 -- the example's own command
            [sys.executable, "-u", str(MANAGE), "serve", "--port", str(port), "--articles", "60"],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(server, port, log)
            found = re.search(r"user (\S+), password (\S+)\)", log.read_text())
            assert found is not None, log.read_text()
            yield Site(f"http://127.0.0.1:{port}", found[1], found[2])
        finally:
            server.terminate()
            server.wait(PATIENCE)


def wait_for(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until the server takes connections."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"the newsroom is not served:\n{log.read_text()}")


@pytest.fixture(scope="module")
def driver() -> Iterator[webdriver.Chrome]:
    """Give the system's Chromium, without a window."""
    browser, control = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or control is None:
        pytest.fail("a browser is needed: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for option in OPTIONS:
        options.add_argument(option)
    chrome = webdriver.Chrome(options=options, service=Service(control))
    yield chrome
    chrome.quit()


@pytest.fixture
def signed_in(driver: webdriver.Chrome, site: Site) -> webdriver.Chrome:
    """Sign in where the API sends strangers, if that has not been done."""
    driver.get(f"{site.address}/api/drf/")
    for entry in driver.find_elements(By.LINK_TEXT, "Log in"):
        entry.click()
        one(driver, "input[name=username]").send_keys(site.user)
        one(driver, "input[name=password]").send_keys(site.password)
        press(driver, "input[type=submit]")
        assert "Api Root" in driver.title
    return driver


def one(driver: webdriver.Chrome, selector: str) -> WebElement:
    """Return an element once it can be used."""
    found: WebElement = patient(driver).until(element_to_be_clickable((By.CSS_SELECTOR, selector)))
    return found


def patient(driver: webdriver.Chrome) -> WebDriverWait[webdriver.Chrome]:
    """Wait for what is to come.

    A page that is being replaced is not always said to be so: Chromium has an error of its own for
    a question that meets it then ("Node with given id does not belong to the document").
    """
    return WebDriverWait(driver, PATIENCE, ignored_exceptions=[WebDriverException])


def shown(driver: webdriver.Chrome) -> str:
    """Return the answer that the page shows."""
    return str(one(driver, ".response-info").text)


def press(driver: webdriver.Chrome, selector: str) -> None:
    """Press a button, and wait until the page that it leads to is whole."""
    button = one(driver, selector)
    driver.execute_script("window.isToBeLeft = true")
    button.click()
    patient(driver).until(lambda _: driver.execute_script(IS_ANOTHER_PAGE))


def send(driver: webdriver.Chrome) -> None:
    """Press the button of the HTML form."""
    press(driver, "#post-object-form button.btn-primary")


def test_a_row_that_the_html_form_sends_is_seen(signed_in: webdriver.Chrome, site: Site) -> None:
    """Add a tag, and find it in the list."""
    name = f"browsed {time.time_ns()}"
    signed_in.get(f"{site.address}/api/drf/tags/")
    assert name not in shown(signed_in)

    one(signed_in, "#post-object-form input[name=name]").send_keys(name)
    send(signed_in)
    answer = shown(signed_in)
    signed_in.get(f"{site.address}/api/drf/tags/")

    assert "HTTP 201 Created" in answer
    assert f'"name": "{name}"' in answer
    assert f'"name": "{name}"' in shown(signed_in)


def test_a_form_offers_what_the_database_has(signed_in: webdriver.Chrome, site: Site) -> None:
    """Add an article by choosing from authors and tags."""
    title = f"Browsed {time.time_ns()}"
    signed_in.get(f"{site.address}/api/drf/articles/")

    one(signed_in, "#post-object-form input[name=title]").send_keys(title)
    Select(one(signed_in, "select[name=author_id]")).select_by_visible_text("Ada")
    Select(one(signed_in, "select[name=tags]")).select_by_visible_text("science")
    send(signed_in)
    answer = shown(signed_in)
    signed_in.get(f"{site.address}/api/drf/articles/")

    assert "HTTP 201 Created" in answer
    assert title in shown(signed_in)


def test_what_is_refused_is_said_beside_the_field(signed_in: webdriver.Chrome, site: Site) -> None:
    """Send a tag that exists."""
    signed_in.get(f"{site.address}/api/drf/tags/")

    one(signed_in, "#post-object-form input[name=name]").send_keys("science")
    send(signed_in)

    assert "HTTP 400 Bad Request" in shown(signed_in)
    assert "already exists" in one(signed_in, "#post-object-form .help-block").text


def test_the_filters_search(signed_in: webdriver.Chrome, site: Site) -> None:
    """Open the filters, search, and see fewer articles."""
    signed_in.get(f"{site.address}/api/drf/articles/")
    everything = count(shown(signed_in))

    one(signed_in, "button[data-target='#filtersModal']").click()
    one(signed_in, "#filtersModal input[name=search]").send_keys("harbour")
    press(signed_in, "#filtersModal form button")

    assert "search=harbour" in signed_in.current_url
    assert 0 < count(shown(signed_in)) < everything


def count(answer: str) -> int:
    """Return how many articles an answer speaks of."""
    found = re.search(r'"count": (\d+)', answer)
    assert found is not None, answer
    return int(found[1])
