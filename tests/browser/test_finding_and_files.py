"""A push is found while somebody is on the phone; an auditor takes files; a batch of a thousand."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page, expect

from consumers.cards import PREFIX_RANGES
from consumers.typed_numbers import with_last_fours
from tests.browser.doorway import Enter
from tests.browser.pages import AUDITOR, MAKER, VIEWER

GOOD, BAD = 983, 17
PUSHES = "/admin/payouts/payment/"


@pytest.mark.parametrize("text", ["Verna", "1111", "$100.00"], ids=["name", "last four", "amount"])
def test_support_finds_a_push_with_one_search(
    text: str, enter: Enter, blanks: dict[str, str]
) -> None:
    page = enter(VIEWER).goes_to(f"{PUSHES}?status=completed")
    page.locator("input[name=q]").fill(text)
    page.keyboard.press("Enter")
    row = page.locator(f'#result_list a[href*="{blanks["payment"]}"]').first
    row.click()
    expect(page.locator(".po-head")).to_contain_text("Ada Verna")


def test_no_card_number_is_sent_in_an_address(enter: Enter, blanks: dict[str, str]) -> None:
    page = enter(MAKER).goes_to(PUSHES)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    search = page.locator("input[name=q]")
    search.fill("4111 1111 1111 1111")
    page.keyboard.press("Enter")
    expect(search).to_have_value("1111")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=1111**")
    amount = page.locator("input[name=amount]")
    page.goto(page.url.split("/payouts/")[0] + f"/issue/?consumer={blanks['consumer']}")
    amount.fill("4111111111111111")
    expect(amount).to_have_value("")
    assert [url for url in sent if "41111111" in re.sub("[^0-9]", "", url)] == []


def test_scripts_know_card_numbers_as_the_server_does(enter: Enter) -> None:
    page = enter(VIEWER).goes_to(PUSHES)
    texts = [*_near_card_numbers(), "3 x 4111-1111-1111-1111 12/28", "+49 1512 3450996", ""]
    known = list(map(with_last_fours, texts))
    assert 100 < sum(text != kept for text, kept in zip(texts, known, strict=True)) < len(texts)
    assert page.evaluate("texts => texts.map(withLastFours)", texts) == known


def _near_card_numbers() -> Iterator[str]:
    """Of every length, with the beginnings of the networks and those beside them, most wrong."""
    for low, high, _ in PREFIX_RANGES:
        for begins in {int(low) - 1, int(low), int(high), int(high) + 1}:
            for length in range(12, 21):
                yield from (f"{begins:7<{length - 1}}{last}" for last in "0123456789")


def test_an_auditor_takes_pushes_and_the_audit_trail(enter: Enter, blanks: dict[str, str]) -> None:
    page = enter(AUDITOR).goes_to("/admin/exports/")
    pushes = _lines_of(_downloaded(page, "Download"))
    assert any("Ada Verna" in line and "100.00" in line for line in pushes)
    page.goto(page.url.replace("/exports/", "/consumers/auditentry/"))
    trail = _lines_of(_downloaded(page, "Export as CSV"))
    assert any("auditor" in line and "export" in line for line in trail)


def test_a_batch_of_a_thousand_lines_with_seventeen_bad_ones(enter: Enter, tmp_path: Path) -> None:
    file = tmp_path / "november.csv"
    file.write_text("\n".join(_batch_lines()))
    page = enter(MAKER).goes_to("/admin/batches/new/")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Upload and check").click()
    page.get_by_role("heading", name=f"Issue {GOOD} pushes").wait_for(timeout=60_000)
    page.locator('a[href="?view=problems"]').click()
    expect(page.locator(".po-row-line")).to_have_count(BAD)
    for tick in page.locator(".po-tick input").all():
        tick.check()
    page.get_by_role("button", name=f"Issue {GOOD} pushes").click()
    expect(page.get_by_text("Completed").first).to_be_visible(timeout=60_000)
    results = list(csv.DictReader(_lines_of(_downloaded(page, "Results, CSV"))))
    assert len(results) == GOOD + BAD
    assert sum(row["status"].startswith("not issued") for row in results) == BAD


def _batch_lines() -> list[str]:
    good = [f"demo-{('ada', 'bela')[n % 2]},,{n + 1}.{n % 100:02d},B-{n}," for n in range(GOOD)]
    bad = [f"nobody-{n},,10.00,," for n in range(BAD)]
    return ["consumer,card,amount,reference,description", *good[:500], *bad, *good[500:]]


def _downloaded(page: Page, name: str) -> Download:
    with page.expect_download() as waiting:
        page.get_by_role("link", name=name).first.click()
    return waiting.value


def _lines_of(file: Download) -> list[str]:
    text = Path(file.path()).read_text(encoding="utf-8-sig")
    return list(io.StringIO(text))
