"""Reports as a browser and a printer show them: headless Chromium, and WeasyPrint for PDF."""

from __future__ import annotations

import base64
import re
import shutil
import sys
import zlib

import pytest
from report_making import comparison_of, flag, lesions_of, summary_of

from PyPeTLib.errors import InputError
from PyPeTLib.maps import QUANTITIES
from PyPeTLib.report.html import ScanRow, write_group_report, write_pdf, write_scan_report

LABEL = "sub-01_Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen_" * 3
SENTENCE = "The head moved further than a voxel between frames, and the curves may hold some of it: look at the edges."
OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1300,900"),
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium import webdriver  # noqa: PLC0415 - of the extras only
    from selenium.webdriver.chrome.service import Service  # noqa: PLC0415 - likewise

    options = webdriver.ChromeOptions()
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(option)
    options.binary_location = shutil.which("chromium") or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory, figures):
    """A usual scan, one with all that may take room, and a group."""
    folder = tmp_path_factory.mktemp("pages")
    usual = summary_of("dsc") | {"lesions": lesions_of(), "comparison": comparison_of()}
    write_scan_report(folder / "usual.html", summary=usual, figures=figures)
    crowded = usual | {"flags": [flag(("note", "warning", "failure")[i % 3], f"f{i}", SENTENCE) for i in range(24)]}
    crowded["maps"] = dict.fromkeys(QUANTITIES, usual["maps"]["cbf"])
    write_scan_report(folder / "crowded.html", summary=crowded, figures=figures, title=LABEL)
    rows = [ScanRow(name=f"sub-{i:02d}", summary=scan_with(core)) for i, core in enumerate((9.0, 100.0, 20.0))]
    rows.append(ScanRow(name="sub-09", state="failed", cause=f"It has 3 frames. {SENTENCE}"))
    write_group_report(folder / "group.html", title="Study", scans=rows)
    return folder


def scan_with(core: float):
    flags = [flag("warning")] if core > 50 else []
    return summary_of("ctp") | {"lesions": lesions_of(core), "comparison": comparison_of(core), "flags": flags}


def open_page(browser, path) -> None:
    browser.get(path.as_uri())
    assert browser.get_log("browser") == []


def printed(browser) -> bytes:
    options = {"preferCSSPageSize": True, "printBackground": True}
    return base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", options)["data"])


def pages_of(pdf: bytes) -> int:
    """Page objects in a PDF, those in compressed object streams included."""
    parts = [pdf]
    for start in re.finditer(rb"stream\r?\n", pdf):
        engine = zlib.decompressobj()
        try:
            parts.append(engine.decompress(pdf[start.end() :]))
        except zlib.error:
            continue
    return sum(len(re.findall(rb"/Type\s*/Page\b(?!s)", part)) for part in parts)


def order(browser) -> list[str]:
    found = browser.find_elements("css selector", "#scan-table tbody tr:not([hidden]) th")
    return [element.text for element in found]


@pytest.mark.extras
def test_pages_open_from_disk_without_errors_and_show_all_pictures(browser, pages):
    for name in ("usual", "crowded", "group"):
        open_page(browser, pages / f"{name}.html")
        widths = browser.execute_script("return Array.from(document.images, image => image.naturalWidth)")
        assert all(width > 1000 for width in widths)
        assert len(widths) == (0 if name == "group" else 11)
        assert browser.execute_script("return getComputedStyle(document.querySelector('.notice')).position") == "sticky"


@pytest.mark.extras
def test_no_picture_is_cut_on_a_usual_screen_and_a_failure_makes_no_tall_row(browser, pages):
    open_page(browser, pages / "usual.html")
    cut = "return Array.from(document.querySelectorAll('.picture'), e => e.scrollWidth - e.clientWidth)"
    assert max(browser.execute_script(cut)) <= 1
    open_page(browser, pages / "group.html")
    heights = "return Array.from(document.querySelectorAll('#scan-table tbody tr'), e => e.offsetHeight)"
    *_, done, failed = browser.execute_script(heights)
    assert failed <= done + 2


@pytest.mark.extras
def test_nothing_is_wider_than_a_telephone(browser, pages):
    metrics = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    for name in ("usual", "crowded", "group"):
        open_page(browser, pages / f"{name}.html")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 400, name
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.extras
def test_the_table_sorts_by_click_and_by_keyboard_and_filters(browser, pages):
    from selenium.webdriver.common.keys import Keys  # noqa: PLC0415 - of the extras only

    open_page(browser, pages / "group.html")
    assert order(browser) == ["sub-00", "sub-01", "sub-02", "sub-09"]
    core = next(b for b in browser.find_elements("css selector", "th button") if b.text.startswith("Core"))
    heading = core.find_element("xpath", "..")
    core.click()
    # by number and not by letters; without a value last
    assert order(browser) == ["sub-00", "sub-02", "sub-01", "sub-09"]
    assert heading.get_attribute("aria-sort") == "ascending"
    core.send_keys(Keys.ENTER)
    assert order(browser) == ["sub-01", "sub-02", "sub-00", "sub-09"]
    assert heading.get_attribute("aria-sort") == "descending"
    browser.find_element("id", "filter-text").send_keys("3 frames")
    assert order(browser) == ["sub-09"]
    assert browser.find_element("id", "count").text == "1 of 4 scans shown"
    browser.find_element("id", "filter-text").send_keys(Keys.CONTROL, "a", Keys.DELETE)
    browser.find_element("css selector", "#filter-flags option[value=warning]").click()
    assert order(browser) == ["sub-01"]
    browser.find_element("css selector", "#filter-flags option[value=none]").click()
    assert order(browser) == ["sub-02", "sub-00"]


@pytest.mark.extras
def test_without_scripts_everything_is_there(browser, pages):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get((pages / "group.html").as_uri())
        assert order(browser) == ["sub-00", "sub-01", "sub-02", "sub-09"]
        assert not browser.find_elements("css selector", "th button")
        assert not browser.find_element("id", "filters").is_displayed()
        assert browser.find_element("css selector", "svg").is_displayed()
        browser.get((pages / "usual.html").as_uri())
        assert browser.find_element("id", "maps").is_displayed()
        # the page prints as one sheet, and with its switch as a whole
        assert pages_of(printed(browser)) == 1
        browser.find_element("id", "everything").click()
        assert pages_of(printed(browser)) > 5
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.extras
def test_a_scan_is_one_printed_page_however_much_there_is_to_tell(browser, pages):
    visible = "return getComputedStyle(document.getElementById('where')).display != 'none'"
    for name, there in (("usual", True), ("crowded", False)):
        open_page(browser, pages / f"{name}.html")
        assert pages_of(printed(browser)) == 1
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        assert browser.execute_script(visible) is there
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    shown = "return Array.from(document.querySelectorAll('#flags, #lesions, #values, #overview'), e => e.innerText)"
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    text = " ".join(browser.execute_script(shown))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert "8 failures, 8 warnings, 8 notes" in text
    for i in range(24):
        assert re.search(rf"\bf{i}\b", text), f"flag {i} is neither told nor named"
    assert "Core (estimate)" in text


@pytest.mark.extras
def test_the_pdf_of_a_scan_is_one_page_and_the_same_each_time(pages, tmp_path):
    for name in ("a", "b"):
        write_pdf(pages / "crowded.html", tmp_path / f"{name}.pdf")
    first = (tmp_path / "a.pdf").read_bytes()
    assert pages_of(first) == 1
    assert first == (tmp_path / "b.pdf").read_bytes()


@pytest.mark.extras
def test_the_pdf_loads_nothing_from_elsewhere(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"")
    page = tmp_path / "page.html"
    page.write_text(f'<img src="{(tmp_path / "secret.png").as_uri()}" alt="left out">', encoding="utf-8")
    write_pdf(page, tmp_path / "page.pdf")
    assert pages_of((tmp_path / "page.pdf").read_bytes()) == 1


def test_without_weasyprint_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(InputError, match=r"pip install '\.\[pdf\]'"):
        write_pdf(tmp_path / "a.html", tmp_path / "a.pdf")
    assert not list(tmp_path.iterdir())
