"""Notifications of networks in the back office: what came, what came of it, and using it again."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from consumers.models import AuditEntry
from payouts.models import NetworkNotification, Payment
from payouts.operations import use_notifications
from payouts.operations.use_notifications import MOST_TRIES
from tests.back_office import browser, page_address, text_of
from tests.builders import VISA_NUMBER
from tests.notices import notice, post, told
from tests.pushes import make_payee, push_unknown

pytestmark = pytest.mark.django_db

LIST = reverse("admin:payouts_networknotification_changelist")


@pytest.fixture
def unknown() -> Payment:
    return push_unknown(make_payee())


@pytest.fixture
def staff() -> Client:
    return browser("operations")


def set_aside(row: NetworkNotification) -> NetworkNotification:
    NetworkNotification.objects.filter(pk=row.pk).update(
        due_at=None, set_aside_at=timezone.now(), tries=MOST_TRIES, problem="TextUnreadable"
    )
    return row


@pytest.fixture
def aside(unknown: Payment) -> NetworkNotification:
    post(notice(unknown))
    return set_aside(NetworkNotification.objects.get())


def test_the_list_says_what_came_and_what_came_of_it(staff: Client, unknown: Payment) -> None:
    told(notice(unknown))
    told(b"no JSON", key="a stranger's")
    page = text_of(staff.get(LIST))
    assert "sandbox signed it was paid used settled by it The push" in page
    assert "sandbox not signed something that nobody can read used nothing new -" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "waiting"}, ["waiting"]),
        ({"state": "aside"}, ["aside"]),
        ({"state": "used"}, ["used"]),
        ({"signed": "no"}, ["waiting"]),
        ({"q": "{payment}"}, ["used"]),
        ({"q": "nonsense"}, []),
        ({"day_to": "2001-01-01"}, []),
    ],
)
def test_narrows(staff: Client, unknown: Payment, query: dict[str, str], found: list[str]) -> None:
    rows = {"used": told(notice(unknown))}
    post(notice(unknown, another="word"))
    rows["aside"] = set_aside(NetworkNotification.objects.get(used_at=None))
    post(b"{}", key="x")
    rows["waiting"] = NetworkNotification.objects.get(due_at__isnull=False)
    given = {name: value.format(payment=unknown.pk) for name, value in query.items()}
    html = staff.get(LIST, given).content.decode()
    assert [name for name, row in rows.items() if page_address(row) in html] == found


def test_an_unknown_filter_is_no_filter_that_shows_all(staff: Client) -> None:
    assert staff.get(LIST, {"state": "lost"}).status_code == 302


def test_pages_by_key(staff: Client, unknown: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payouts.admin.notifications.NotificationAdmin.list_per_page", 2)
    for number in range(3):
        post(notice(unknown, number=number))
    first, *_, last = NetworkNotification.objects.order_by("pk")
    assert page_address(first) not in staff.get(LIST).content.decode()
    older = NetworkNotification.objects.order_by("-pk")[1]
    html = staff.get(LIST, {"before": str(older.pk)}).content.decode()
    assert page_address(first) in html
    assert page_address(last) not in html


def test_the_page_shows_what_came_without_card_numbers(staff: Client, unknown: Payment) -> None:
    spaced = " ".join(VISA_NUMBER[at : at + 4] for at in range(0, 16, 4))
    row = told(notice(unknown, pan=VISA_NUMBER, note=f"3 {spaced}", other="kept"))
    page = text_of(staff.get(page_address(row)))
    assert "Settled by it" in page
    assert "kept" in page
    assert VISA_NUMBER not in page
    assert spaced not in page
    assert str(unknown.pk) in page
    assert AuditEntry.objects.get(verb="view", subject_id=str(row.pk)).actor == "staff:somebody"


def test_what_is_no_json_is_text(staff: Client) -> None:
    row = told(b"<b>\xff" + VISA_NUMBER.encode(), key="x")
    html = staff.get(page_address(row)).content.decode()
    assert "&lt;b&gt;" in html
    assert VISA_NUMBER not in html


def test_one_without_its_key_says_what_to_do(
    staff: Client, aside: NetworkNotification, settings: object
) -> None:
    NetworkNotification.objects.filter(pk=aside.pk).update(sealed=b"nobody has sealed this")
    page = text_of(staff.get(page_address(aside)))
    assert "its key is not in the ring" in page


def test_asks_and_then_has_it_used_again(staff: Client, aside: NetworkNotification) -> None:
    page = text_of(staff.get(page_address(aside)))
    assert "7 tries to use it failed, so nobody tries any more (TextUnreadable)" in page
    assert "as if it had just come" in text_of(staff.get(page_address(aside, "use-again")))
    assert use_notifications.claim_notifications(limit=9) == []
    staff.post(page_address(aside, "use-again"))
    assert use_notifications.claim_notifications(limit=9) == [aside.pk]
    answer = staff.post(page_address(aside, "use-again"), follow=True)
    assert "It is not set aside any more" in text_of(answer)


@pytest.mark.parametrize("role", ["viewer", "maker", "approver", "auditor"])
def test_not_everybody_has_it_used_again(role: str, aside: NetworkNotification) -> None:
    client = browser(role)
    is_auditor = role == "auditor"
    assert client.get(page_address(aside)).status_code == (200 if is_auditor else 403)
    assert "Use it again" not in text_of(client.get(page_address(aside)))
    assert client.post(page_address(aside, "use-again")).status_code == 403
    aside.refresh_from_db()
    assert aside.due_at is None


def test_the_first_page_tells_whoever_may_do_something(aside: NetworkNotification) -> None:
    assert "are set aside: 1. See why" in text_of(browser("operations").get("/admin/"))
    assert "set aside" not in text_of(browser("viewer", username="vic").get("/admin/"))
    assert aside.tries == 0


def test_the_page_of_a_push_leads_to_it(staff: Client, unknown: Payment) -> None:
    row = told(notice(unknown))
    assert page_address(row) in staff.get(page_address(unknown)).content.decode()
    viewer = browser("viewer", username="vic")
    assert page_address(row) not in viewer.get(page_address(unknown)).content.decode()


def test_the_list_takes_as_many_statements_however_long_it_is(
    staff: Client, unknown: Payment
) -> None:
    counts = []
    for number in range(2):
        for copy in range(1 + 4 * number):
            told(notice(unknown, number=number, copy=copy))
        staff.get(LIST)
        with CaptureQueriesContext(connection) as captured:
            staff.get(LIST)
        counts.append(len(captured))
    assert counts[0] == counts[1]
