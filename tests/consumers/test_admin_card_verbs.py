"""Adding and keeping cards in the back office; above all, where their numbers do not go."""

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from consumers.admin import consumer_verbs
from consumers.models import AuditEntry, CardStatus, Consumer, PaymentCard
from consumers.operations.consumers import cancel_consumer_account
from tests import eligibility as sources
from tests.back_office import browser, page_address, text_of
from tests.builders import MASTERCARD_NUMBER, VISA_NUMBER, make_card, make_consumer

pytestmark = pytest.mark.django_db

TYPED = {
    "number": "4111 1111 1111 1111", "expiration_month": "7", "expiration_year": "2039",
    "cardholder_name": "Ada Example", "postal_code": "", "nickname": "Payday",
}  # fmt: skip
OTHERS = ["viewer", "maker", "approver", "operations", "auditor"]


@pytest.fixture(autouse=True)
def _network(settings: Any) -> None:
    settings.CARD_ELIGIBILITY_SOURCE = sources.FAST


@pytest.fixture
def admin() -> Client:
    return browser("admin", username="ada")


@pytest.fixture
def consumer() -> Consumer:
    return make_consumer()


def digits_of(text: str) -> str:
    return re.sub(r"[\s-]", "", text)


def every_row() -> Iterator[str]:
    """Everything that the database holds, table by table, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            yield from (row for (row,) in cursor.fetchall())


class TestAdding:
    def test_leads_to_the_new_card(self, admin: Client, consumer: Consumer) -> None:
        answer = admin.post(page_address(consumer, "add-card"), TYPED)
        card = PaymentCard.objects.get()
        assert answer.headers["Location"] == page_address(card)
        assert (card.bin, card.last4, card.nickname) == ("41111111", "1111", "Payday")
        assert (card.expiration_month, card.expiration_year) == (7, 2039)
        assert (card.push_eligible, card.push_speed) == (True, "fast_funds")
        assert card.edited_by_user is not None
        assert card.edited_by_user.username == "ada"
        assert "takes pushes" in text_of(admin.get(page_address(card)))

    def test_the_same_number_again_leads_to_the_card_that_is_there(
        self, admin: Client, consumer: Consumer
    ) -> None:
        card = make_card(consumer=consumer, status=CardStatus.INACTIVE)
        answer = admin.post(page_address(consumer, "add-card"), TYPED, follow=True)
        assert answer.redirect_chain[-1][0] == page_address(card)
        assert "has this card already" in text_of(answer)
        assert PaymentCard.objects.get().status == CardStatus.INACTIVE

    def test_a_network_that_says_nothing_does_not_undo_it(
        self, admin: Client, consumer: Consumer, settings: Any
    ) -> None:
        settings.CARD_ELIGIBILITY_SOURCE = sources.SILENT
        page = admin.post(page_address(consumer, "add-card"), TYPED, follow=True)
        assert "could not say yet" in text_of(page)
        assert PaymentCard.objects.get().push_eligible is None

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"number": "4111111111111112"}, "its last digit does not fit"),
            ({"number": ""}, "may not be blank"),
            ({"expiration_month": "13"}, "The month is a number from 1 to 12."),
            ({"expiration_year": "39"}, "The year has four digits, such as 2039."),
            ({"expiration_year": "2020"}, "The card has expired."),
            ({"nickname": VISA_NUMBER}, "Leave the card number out"),
            ({"cardholder_name": "4111-1111-1111-1111"}, "Leave the card number out"),
        ],
    )
    def test_says_what_is_wrong_and_repeats_no_number(
        self, admin: Client, consumer: Consumer, changes: dict[str, str], said: str
    ) -> None:
        answer = admin.post(page_address(consumer, "add-card"), {**TYPED, **changes})
        assert answer.status_code == 200
        page = text_of(answer)
        assert said in page
        assert "The card's number has to be typed again." in page.replace("&#x27;", "'")
        assert "411111111" not in digits_of(answer.content.decode())
        assert not PaymentCard.objects.exists()

    def test_a_closed_account_gets_no_card(self, admin: Client, consumer: Consumer) -> None:
        cancel_consumer_account(consumer)
        page = admin.post(page_address(consumer, "add-card"), TYPED, follow=True)
        assert "nothing about it changes" in text_of(page)
        assert not PaymentCard.objects.exists()

    @pytest.mark.parametrize("role", OTHERS)
    def test_is_for_admins(self, role: str, consumer: Consumer) -> None:
        client = browser(role)
        assert client.get(page_address(consumer, "add-card")).status_code == 403
        assert client.post(page_address(consumer, "add-card"), TYPED).status_code == 403
        assert not PaymentCard.objects.exists()


class TestTheNumber:
    @pytest.mark.parametrize(
        "changes", [{}, {"expiration_year": "2020"}, {"nickname": VISA_NUMBER}]
    )
    def test_is_in_no_row_log_session_or_cookie(
        self,
        admin: Client,
        consumer: Consumer,
        changes: dict[str, str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            answer = admin.post(page_address(consumer, "add-card"), {**TYPED, **changes})
        kept = " ".join(every_row()) + caplog.text + str(admin.cookies) + str(answer.headers)
        assert str(consumer.pk) in kept
        # The BIN and the last four are shown; nothing holds more than those.
        assert "411111111" not in digits_of(kept)
        session = " ".join(str(value) for value in admin.session.values())
        assert "1111" not in digits_of(session)

    def test_is_in_no_log_or_report_of_a_crash(
        self,
        admin: Client,
        consumer: Consumer,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def crash(*_args: Any, **_members: Any) -> None:
            raise RuntimeError("the disk is full")

        monkeypatch.setattr(consumer_verbs, "add_card", crash)
        admin.raise_request_exception = False
        with caplog.at_level(logging.DEBUG):
            answer = admin.post(page_address(consumer, "add-card"), TYPED)
        assert answer.status_code == 500
        assert "the disk is full" in caplog.text
        assert "4111" not in answer.content.decode() + caplog.text

    def test_is_asked_for_in_a_field_that_browsers_do_not_keep(
        self, admin: Client, consumer: Consumer
    ) -> None:
        answer = admin.get(page_address(consumer, "add-card"))
        found = re.search(r'<input[^>]*name="number"[^>]*>', answer.content.decode())
        assert found is not None
        assert 'autocomplete="off"' in found[0]
        assert "value=" not in found[0]
        assert "cc-number" not in answer.content.decode()
        assert "no-store" in answer.headers["Cache-Control"]


class TestKeeping:
    def test_notes_and_expiry_can_be_changed(self, admin: Client) -> None:
        card = make_card(push_eligible=True)
        typed = {"expiration_month": "1", "expiration_year": "2040", "cardholder_name": "A. E.",
                 "postal_code": "", "nickname": "Payday"}  # fmt: skip
        admin.post(page_address(card, "edit"), typed)
        card.refresh_from_db()
        assert (card.expiration_month, card.nickname, card.push_eligible) == (1, "Payday", None)
        assert card.edited_by_user is not None

    def test_an_expiry_that_is_past_is_refused(self, admin: Client) -> None:
        card = make_card()
        typed = {"expiration_month": "1", "expiration_year": "2020", "nickname": "x"}
        answer = admin.post(page_address(card, "edit"), typed)
        assert "The card has expired." in text_of(answer)
        card.refresh_from_db()
        assert (card.expiration_year, card.nickname) == (2039, "")

    def test_the_network_is_asked_again(self, admin: Client) -> None:
        card = make_card()
        page = admin.post(page_address(card, "ask-network"), follow=True)
        assert "The network says that the card takes pushes." in text_of(page)
        card.refresh_from_db()
        assert card.push_checked_at is not None
        assert "ago)" in text_of(page)
        entry = AuditEntry.objects.get(verb="change")
        assert (entry.actor, entry.reason) == ("staff:ada", "asked the network")
        assert entry.after == {"push_eligible": True, "push_speed": "fast_funds"}

    def test_looking_does_not_ask(self, admin: Client) -> None:
        card = make_card()
        assert admin.get(page_address(card, "ask-network")).status_code == 200
        card.refresh_from_db()
        assert card.push_checked_at is None

    def test_a_reason_is_kept_for_taking_it_out_of_use(self, admin: Client) -> None:
        card = make_card()
        assert "This field is required." in text_of(
            admin.post(page_address(card, "deactivate"), {})
        )
        admin.post(page_address(card, "deactivate"), {"reason": "lost, says its holder"})
        card.refresh_from_db()
        assert card.status == CardStatus.INACTIVE
        entry = AuditEntry.objects.get(verb="deactivate")
        assert entry.reason == "removed_by_staff: lost, says its holder"
        assert "lost, says its holder" in text_of(admin.get(page_address(card)))

    @pytest.mark.parametrize("role", OTHERS)
    @pytest.mark.parametrize("verb", ["edit", "ask-network", "deactivate"])
    def test_is_for_admins(self, role: str, verb: str) -> None:
        card, client = make_card(), browser(role)
        assert f"/{verb}/" not in client.get(page_address(card)).content.decode()
        typed = {"reason": "x", "nickname": "Eve"}
        assert client.post(page_address(card, verb), typed).status_code == 403
        card.refresh_from_db()
        assert (card.status, card.nickname, card.push_checked_at) == ("active", "", None)


def test_a_consumer_is_found_by_a_cards_last_four(admin: Client, consumer: Consumer) -> None:
    make_card(consumer=consumer, number=MASTERCARD_NUMBER)
    page = admin.get("/admin/consumers/consumer/", {"q": "4444"})
    assert consumer.pcid in text_of(page)
