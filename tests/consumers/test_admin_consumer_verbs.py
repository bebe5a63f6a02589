"""Adding, editing, closing and looking at consumers in the back office."""

import logging
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consumers.models import AuditEntry, Consumer
from consumers.operations.consumers import cancel_consumer_account, register_consumer
from tests.back_office import browser, page_address, text_of
from tests.builders import VISA_NUMBER, make_consumer, make_partner
from tests.pushes import make_staff

pytestmark = pytest.mark.django_db

ADD = reverse("admin:consumers_consumer_add")
OTHERS = ["viewer", "maker", "approver", "operations", "auditor"]
TAX_ID = "900-11-6789"


@pytest.fixture
def admin() -> Client:
    return browser("admin", username="ada")


@pytest.fixture
def grace() -> Consumer:
    return register_consumer(
        make_partner(name="Northwind").pk, pcid="cust-0042", first_name="Grace",
        last_name="Hopper", email="grace@example.com", phone_number="+14155550123",
        date_of_birth=date(1976, 12, 9), tax_id_type="SSN", tax_identifier=TAX_ID,
    )  # fmt: skip


def filled(consumer: Consumer, **changed: str) -> dict[str, str]:
    """What the edit form sends back when nothing but `changed` was typed."""
    names = (
        "pcid", "first_name", "last_name", "email", "phone_number", "tax_id_type",
        "address_line1", "address_line2", "address_city", "address_state", "address_zip",
    )  # fmt: skip
    shown = {name: getattr(consumer, name) for name in names}
    return {**shown, "seen": consumer.updated_at.isoformat(), **changed}


def newest() -> AuditEntry:
    return AuditEntry.objects.order_by("-pk").exclude(verb__in=["view", "sign_in"])[0]


class TestAdding:
    def test_leads_to_the_new_consumer(self, admin: Client) -> None:
        partner = make_partner()
        typed = {"partner": str(partner.pk), "pcid": "p-1", "first_name": "Bo", "last_name": "Li",
                 "tax_identifier": TAX_ID}  # fmt: skip
        answer = admin.post(ADD, typed)
        consumer = Consumer.objects.get()
        assert answer.headers["Location"] == page_address(consumer)
        assert (consumer.partner, consumer.pcid, consumer.tax_identifier_last4) == (
            partner, "p-1", "6789",
        )  # fmt: skip
        assert consumer.edited_by_user is not None
        assert consumer.edited_by_user.username == "ada"
        assert (newest().verb, newest().actor) == ("add", "staff:ada")

    def test_says_everything_that_is_wrong_and_stores_nothing(self, admin: Client) -> None:
        typed = {"email": "nobody", "phone_number": "555", "date_of_birth": "yesterday",
                 "tax_identifier": TAX_ID, "first_name": "Bo"}  # fmt: skip
        answer = admin.post(ADD, typed)
        assert answer.status_code == 200
        page = text_of(answer)
        for part in ("Choose whose consumer this is.", "This is not an e-mail address.",
                     "A phone number in E.164 form", "A date as YYYY-MM-DD"):  # fmt: skip
            assert part in page, part
        html = answer.content.decode()
        assert 'value="Bo"' in html
        assert TAX_ID not in html
        assert not Consumer.objects.exists()

    def test_refuses_a_pcid_that_is_taken(self, admin: Client, grace: Consumer) -> None:
        typed = {"partner": str(grace.partner_id), "pcid": grace.pcid}
        assert "has a consumer with this pcid already" in text_of(admin.post(ADD, typed))
        assert Consumer.objects.count() == 1

    @pytest.mark.parametrize("role", OTHERS)
    def test_is_for_admins(self, role: str) -> None:
        client = browser(role)
        assert client.get(ADD).status_code == 403
        typed = {"partner": str(make_partner().pk), "pcid": "p-1"}
        assert client.post(ADD, typed).status_code == 403
        assert not Consumer.objects.exists()


class TestEditing:
    def test_saves_what_was_changed_and_says_who(self, admin: Client, grace: Consumer) -> None:
        address = page_address(grace, "edit")
        answer = admin.post(address, filled(grace, last_name="Murray", email=""))
        assert answer.headers["Location"] == page_address(grace)
        grace.refresh_from_db()
        assert (grace.last_name, grace.email, grace.first_name) == ("Murray", "", "Grace")
        assert (grace.date_of_birth, grace.tax_identifier_last4) == (date(1976, 12, 9), "6789")
        entry = newest()
        assert (entry.before, entry.after) == (
            {"last_name": "Hopper", "email": "grace@example.com"},
            {"last_name": "Murray", "email": ""},
        )
        assert grace.edited_by_user is not None

    def test_shows_neither_birthday_nor_tax_id(self, admin: Client, grace: Consumer) -> None:
        html = admin.get(page_address(grace, "edit")).content.decode()
        assert "1976" not in html
        assert "6789" not in html
        assert html.count("On file. Leave it empty to keep what is there.") == 2

    def test_a_new_birthday_is_not_told_in_the_trail(self, admin: Client, grace: Consumer) -> None:
        admin.post(page_address(grace, "edit"), filled(grace, date_of_birth="1980-01-02"))
        grace.refresh_from_db()
        assert grace.date_of_birth == date(1980, 1, 2)
        assert newest().after == {"date_of_birth": "[hidden]"}

    def test_without_a_change_nothing_is_written(self, admin: Client, grace: Consumer) -> None:
        page = admin.post(page_address(grace, "edit"), filled(grace), follow=True)
        assert "Nothing was changed." in text_of(page)
        assert newest().verb == "add"

    def test_does_not_write_over_somebody_elses_change(
        self, admin: Client, grace: Consumer
    ) -> None:
        stale = filled(grace, first_name="Eve")
        admin.post(page_address(grace, "edit"), filled(grace, last_name="Murray"))
        page = admin.post(page_address(grace, "edit"), stale, follow=True)
        assert "Somebody changed this consumer while you did." in text_of(page)
        grace.refresh_from_db()
        assert (grace.first_name, grace.last_name) == ("Grace", "Murray")

    def test_a_closed_account_is_not_edited(self, admin: Client, grace: Consumer) -> None:
        cancel_consumer_account(grace)
        page = admin.post(page_address(grace, "edit"), filled(grace, first_name="E"), follow=True)
        assert "nothing about it changes" in text_of(page)
        grace.refresh_from_db()
        assert grace.first_name == "Grace"

    def test_a_phone_number_may_look_like_a_card_number(
        self, admin: Client, grace: Consumer
    ) -> None:
        typed = filled(grace, phone_number="+4915123450996")
        admin.post(page_address(grace, "edit"), typed)
        grace.refresh_from_db()
        assert grace.phone_number == "+4915123450996"

    @pytest.mark.parametrize("field", ["first_name", "address_line1", "pcid"])
    def test_a_card_number_is_refused_and_not_repeated(
        self, admin: Client, grace: Consumer, field: str
    ) -> None:
        typed = filled(grace, **{field: f"x {VISA_NUMBER}"})
        answer = admin.post(page_address(grace, "edit"), typed)
        assert "Leave the card number out" in text_of(answer)
        assert VISA_NUMBER not in answer.content.decode()
        grace.refresh_from_db()
        assert VISA_NUMBER not in getattr(grace, field)


class TestClosing:
    def test_needs_a_reason_and_keeps_it(self, admin: Client, grace: Consumer) -> None:
        address = page_address(grace, "close")
        assert "This field is required." in text_of(admin.post(address, {}))
        grace.refresh_from_db()
        assert grace.is_active
        page = admin.post(address, {"reason": "left the firm", "details": "in May"}, follow=True)
        assert "left the firm · in May" in text_of(page)
        grace.refresh_from_db()
        assert not grace.is_active
        assert (newest().verb, newest().reason) == ("close", "left the firm in May")

    def test_what_staff_closed_staff_opens_again(self, admin: Client, grace: Consumer) -> None:
        cancel_consumer_account(grace, reason="a mistake", by_user=make_staff("bob", "admin"))
        assert "/reopen/" in admin.get(page_address(grace)).content.decode()
        admin.post(page_address(grace, "reopen"), {"reason": "was the wrong person"})
        grace.refresh_from_db()
        assert (grace.is_active, grace.cancellation_reason) == (True, "")
        assert grace.edited_by_user is not None
        assert grace.edited_by_user.username == "ada"
        assert (newest().verb, newest().reason) == ("reopen", "was the wrong person")

    def test_what_the_partner_closed_stays_closed(self, admin: Client, grace: Consumer) -> None:
        cancel_consumer_account(grace, reason="moved away")
        assert "/reopen/" not in admin.get(page_address(grace)).content.decode()
        page = admin.post(page_address(grace, "reopen"), {"reason": "please"}, follow=True)
        assert "which is for good" in text_of(page)
        grace.refresh_from_db()
        assert not grace.is_active
        assert newest().verb == "close"

    def test_a_card_number_in_the_reason_is_not_repeated(
        self, admin: Client, grace: Consumer
    ) -> None:
        for field in ("reason", "details"):
            typed = {"reason": "why", "details": "", field: f"card {VISA_NUMBER}"}
            answer = admin.post(page_address(grace, "close"), typed)
            assert VISA_NUMBER not in answer.content.decode()
        grace.refresh_from_db()
        assert grace.is_active


class TestIdentity:
    def test_is_masked_on_the_page(self, admin: Client, grace: Consumer) -> None:
        html = admin.get(page_address(grace)).content.decode()
        assert "1976" not in html
        assert TAX_ID not in html
        assert "SSN ***-**-6789" in html

    @pytest.mark.parametrize("role", ["admin", "auditor"])
    def test_is_shown_for_a_reason_and_never_kept(self, role: str, grace: Consumer) -> None:
        client, address = browser(role), page_address(grace, "reveal")
        asked = client.get(address).content.decode()
        assert TAX_ID not in asked
        assert TAX_ID not in client.post(address, {}).content.decode()
        assert newest().verb == "add"
        answer = client.post(address, {"reason": "the bank called"})
        assert f"1976-12-09 Tax id SSN {TAX_ID}" in text_of(answer)
        assert "no-store" in answer.headers["Cache-Control"]
        entry = newest()
        assert (entry.verb, entry.reason) == ("reveal", "the bank called")
        assert TAX_ID not in f"{entry.before}{entry.after}{entry.subject_label}"

    @pytest.mark.parametrize("role", ["viewer", "maker", "approver", "operations"])
    def test_is_for_nobody_else(self, role: str, grace: Consumer) -> None:
        client = browser(role)
        assert "/reveal/" not in client.get(page_address(grace)).content.decode()
        answer = client.post(page_address(grace, "reveal"), {"reason": "curious"})
        assert answer.status_code == 403
        assert not AuditEntry.objects.filter(verb="reveal").exists()


@pytest.mark.parametrize("role", OTHERS)
@pytest.mark.parametrize("verb", ["edit", "close", "reopen", "add-card"])
def test_verbs_are_for_admins(role: str, verb: str, grace: Consumer) -> None:
    client = browser(role)
    assert f"/{verb}/" not in client.get(page_address(grace)).content.decode()
    answer = client.post(page_address(grace, verb), filled(grace, reason="x", first_name="Eve"))
    assert answer.status_code == 403
    grace.refresh_from_db()
    assert (grace.first_name, grace.is_active) == ("Grace", True)


class TestHistory:
    @pytest.mark.parametrize("role", ["admin", "auditor"])
    def test_tells_what_was_changed(self, admin: Client, grace: Consumer, role: str) -> None:
        admin.post(page_address(grace, "edit"), filled(grace, last_name="Murray"))
        page = text_of(browser(role).get(page_address(grace)))
        assert "Changed ada" in page
        assert "last name: Hopper → Murray" in page

    @pytest.mark.parametrize("role", ["viewer", "maker", "operations"])
    def test_is_shown_to_readers_of_the_trail_only(self, grace: Consumer, role: str) -> None:
        assert "History" not in text_of(browser(role).get(page_address(grace)))

    def test_costs_one_statement_more_and_one_for_names(
        self, admin: Client, grace: Consumer, django_assert_num_queries: Any
    ) -> None:
        for name in ("A", "B", "C"):
            grace.refresh_from_db()
            admin.post(page_address(grace, "edit"), filled(grace, last_name=name))
        # As for a viewer, the consumer's cards once more by key, the entries, the names of staff.
        with django_assert_num_queries(13):
            admin.get(page_address(grace))


@pytest.mark.parametrize(
    "text", ["+14155550123", "+1 415 555 0123", "(415) 555-0123", "415-555", "14155550123"]
)
def test_is_found_by_phone(grace: Consumer, text: str) -> None:
    make_consumer(phone_number="+491701234567")
    page = browser("viewer").get(reverse("admin:consumers_consumer_changelist"), {"q": text})
    assert "Grace Hopper" in text_of(page)
    assert "Ada Example" not in text_of(page)


def test_nothing_typed_gets_into_a_log(
    admin: Client, grace: Consumer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        admin.post(page_address(grace, "edit"), filled(grace, tax_identifier="900-22-1234"))
    assert "900-22-1234" not in caplog.text
