"""The first page: figures that lead to their rows, by a fixed number of statements."""

import html
import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from payouts.admin import home
from payouts.admin.home_charts import duration
from payouts.operations.deliveries import Answer
from payouts.operations.record_outcome import record_outcome
from payouts.rollups import figures
from tests.back_office import browser, browser_of, text_of
from tests.books import execute
from tests.builders import make_partner
from tests.changes import set_limit
from tests.payouts.rollups.books import link_and_follow
from tests.payouts.webhooks.cast import answer, claimed, make_deliveries, make_webhook
from tests.pushes import (
    APPROVED,
    declined,
    make_funded_partner,
    make_payee,
    make_staff,
    push,
    push_for_approval,
    push_submitted,
    push_unknown,
)

pytestmark = pytest.mark.django_db

HOME = "/admin/"


@pytest.fixture
def viewer() -> Client:
    return browser("viewer")


def drawings(answer: Any) -> list[dict[str, Any]]:
    found = re.findall(r'data-chart="([^"]*)"', answer.content.decode())
    return [json.loads(html.unescape(one)) for one in found]


def leads(answer: Any) -> list[str]:
    found = re.findall(
        r'href="(/admin/payouts/payment/[^"]*day_from[^"]*)"', answer.content.decode()
    )
    return [html.unescape(one) for one in found]


def rows_listed(client: Client, address: str) -> int:
    page = text_of(client.get(address))
    found = re.search(r"([\d,]+) push(?:es)?\b", page)
    return int(found[1].replace(",", "")) if found else 0


def test_counts_what_waits_and_leads_there(viewer: Client) -> None:
    card = make_payee()
    push_unknown(card, amount="100.00")
    push_for_approval(card, amount="1250.00")
    answer = viewer.get(HOME)
    page = text_of(answer)
    assert "Waiting for approval 1 $1,250.00" in page
    assert "In doubt 1 $100.00 oldest asked for just now" in page
    assert "With the network 0 $0.00" in page
    assert 'href="/admin/approvals/?view=all"' in answer.content.decode()
    assert 'href="/admin/in-doubt/"' in answer.content.decode()


def test_says_how_old_the_oldest_doubt_is(viewer: Client) -> None:
    push_unknown(make_payee())
    with pytest.MonkeyPatch.context() as patch:
        at = timezone.now() - timedelta(hours=3)
        patch.setattr(home, "_oldest_at", lambda _status: at)
        assert "oldest asked for 3 hours ago" in text_of(viewer.get(HOME)).replace("\xa0", " ")


class TestToday:
    @pytest.fixture(autouse=True)
    def _pushes(self) -> None:
        record_outcome(push_submitted(make_payee(), amount="10.00").pk, APPROVED)
        record_outcome(push_submitted(make_payee(), amount="20.00").pk, declined("05"))
        push(make_payee(), amount="40.00")

    def test_tells_what_was_pushed_completed_and_failed(self, viewer: Client) -> None:
        page = text_of(viewer.get(HOME))
        assert "Pushed 3 $70.00" in page
        assert "Completed 1 $10.00" in page
        assert "Failed 1 $20.00" in page

    @pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/New_York"])
    def test_each_figure_leads_to_as_many_rows(self, viewer: Client, zone: str) -> None:
        viewer.cookies["zone"] = zone
        answer = viewer.get(HOME)
        assert f"Today in {zone.replace('_', ' ')}" in text_of(answer)
        pushed, completed, failed = leads(answer)[:3]
        assert parse_qs(urlsplit(pushed).query).get("zone", ["UTC"]) == [zone]
        assert [rows_listed(viewer, one) for one in (pushed, completed, failed)] == [3, 1, 1]

    def test_draws_four_charts_and_says_the_same_in_tables(self, viewer: Client) -> None:
        answer = viewer.get(HOME)
        volume, success, times, reasons = drawings(answer)
        assert [one["values"][-1] for one in volume["series"]] == ["10.00", "20.00", "40.00"]
        assert success["series"][0]["values"][-1] == "50.00"
        assert success["series"][0]["values"][0] is None
        assert times["unit"] == "seconds"
        assert (reasons["labels"], reasons["series"][0]["values"]) == (["do not honor"], ["1"])
        page = text_of(answer)
        assert "3 $70.00 $10.00 $20.00 $40.00" in page
        assert "50.0% 1 1" in page
        assert "do not honor 1 $20.00" in page
        (why,) = reasons["series"][0]["links"]
        assert parse_qs(urlsplit(why).query)["failure"] == ["do_not_honor"]
        assert rows_listed(viewer, why) == 1

    @pytest.mark.parametrize(("asked", "days"), [("7", 7), ("", 30), ("90", 90), ("365", 30)])
    def test_draws_as_many_days_as_are_asked_for(
        self, viewer: Client, asked: str, days: int
    ) -> None:
        volume = drawings(viewer.get(HOME, {"days": asked}))[0]
        assert len(volume["labels"]) == days
        assert len(volume["series"][0]["links"]) == days


def test_says_what_is_for_me_to_whom_it_is_for() -> None:
    push_for_approval(make_payee())
    approver = text_of(browser("approver").get(HOME))
    assert "Waiting for me 1 for you to decide about" in approver
    assert "Waiting for me" not in text_of(browser("viewer", username="victor").get(HOME))


def test_says_which_changes_wait_for_me_and_for_nobody_else() -> None:
    partner, proposer = make_partner(), make_staff("grace", "admin")
    waiting = "Changes for me 1 of money, terms or access"
    approver = browser("approver")
    assert "Changes for me" not in text_of(approver.get(HOME))
    set_limit(partner, by=proposer, max_count=3)
    answer = approver.get(HOME)
    assert waiting in text_of(answer)
    assert 'href="/admin/changes/"' in answer.content.decode()
    for others in (browser_of(proposer), browser("viewer", username="victor")):
        assert "Changes for me" not in text_of(others.get(HOME))


def test_tells_how_long_money_lasts(viewer: Client) -> None:
    partner = make_funded_partner(dollars="100.00", name="Acme <b>Payroll</b>")
    push(make_payee(partner=partner), amount="60.00")
    execute("INSERT INTO payouts_rollupcursor (id, last_event_id) VALUES (1, 9999999)")
    execute(
        "INSERT INTO payouts_partnerrollup (day, partner_id, status, payments, amount, fees)"
        f" VALUES (CURRENT_DATE - 2, '{partner.pk}', 'completed', 1, 40, 0)"
    )
    answer = viewer.get(HOME)
    assert "$40.00 $60.00 $20.00 2.0 days" in text_of(answer)
    assert "Acme &lt;b&gt;Payroll&lt;/b&gt;" in answer.content.decode()
    assert f"/admin/consumers/partner/{partner.pk}/change/" in answer.content.decode()


def test_a_quiet_house_says_so(viewer: Client) -> None:
    answer = viewer.get(HOME)
    assert "Pushed 0 $0.00" in text_of(answer)
    assert text_of(answer).count("Nothing in these days.") == 4
    assert drawings(answer) == []


def test_counts_one_push_as_one(viewer: Client) -> None:
    push(make_payee())
    assert "1 push of $100.00 in all." in text_of(viewer.get(HOME))


def test_says_when_counting_is_behind(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    push(make_payee())
    push(make_payee())
    assert "counting is behind" not in text_of(viewer.get(HOME))
    monkeypatch.setattr(figures, "NEWER_AT_MOST", 1)
    assert "counting is behind" in text_of(viewer.get(HOME))


def test_shows_nothing_to_somebody_without_a_role() -> None:
    push(make_payee())
    page = text_of(browser().get(HOME))
    assert "Nothing here is yours to see yet." in page
    assert "$100.00" not in page


def test_runs_no_script_of_its_own(viewer: Client) -> None:
    push(make_payee())
    answer = viewer.get(HOME)
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"].split("script-src")[1]
    scripts = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", answer.content.decode())
    assert [one for one in scripts if "application/json" not in one] == []


@pytest.mark.parametrize("is_followed", [False, True])
@pytest.mark.parametrize("rows", [0, 3])
def test_asks_a_fixed_number_of_statements(
    rows: int,
    is_followed: bool,  # noqa: FBT001
    django_assert_num_queries: Any,
) -> None:
    for _ in range(rows):
        push(make_payee())
    if is_followed:
        link_and_follow()
    client = browser("approver")
    # Session, person, permissions (two); figures, mine (two), now, partners; then the session
    # (three).
    with django_assert_num_queries(12):
        client.get(HOME)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"), (0.04, "0.0 s"), (2.34, "2.3 s"), (42.0, "42 s"), (90.0, "2 min"),
        (7200.0, "2 h"), (170_000.0, "47 h"), (200_000.0, "2 days"),
    ],
)  # fmt: skip
def test_tells_a_time_in_words(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_says_which_webhooks_fail_to_whoever_can_do_something_about_it() -> None:
    make_deliveries(make_webhook())
    answer(claimed()[0], Answer(status=410))
    said = "Webhooks that we switched off because they failed: 1."
    assert said in text_of(browser("operations").get(HOME))
    assert said not in text_of(browser("viewer", username="other").get(HOME))
