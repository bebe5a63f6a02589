"""What leaves an entry in the trail: one test per kind of act, through the door that people use."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from consumers.models import AuditEntry, Consumer, PaymentCard
from consumers.operations.api_clients import add_client_secret
from consumers.operations.reseal_cards import CARDS
from consumers.operations.rotate_keys import rotate_keys
from payouts.models import Payment
from payouts.operations.record_outcome import record_outcome
from payouts.states import CANCELABLE
from tests.back_office import browser_of, page_address
from tests.books import select
from tests.builders import (
    VISA_NUMBER,
    make_api_client,
    make_card,
    make_consumer,
    make_http_client,
    make_partner,
)
from tests.owner import triggers_asleep
from tests.payouts.commands.running import run
from tests.pushes import (
    declined,
    digest_of,
    make_payee,
    make_staff,
    push,
    push_for_approval,
    push_submitted,
)

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple 1"
ADDRESS = "192.0.2.7"


def kept() -> list[tuple[str, str, str, str]]:
    """Actor, verb, kind of object and result of every entry, oldest first."""
    rows = AuditEntry.objects.order_by("id")
    return list(rows.values_list("actor", "verb", "subject_type", "result"))


def newest() -> AuditEntry:
    return AuditEntry.objects.latest("id")


def no_entries_yet() -> None:
    """Forget what setting the stage has left."""
    with triggers_asleep():
        AuditEntry.objects.all().delete()


def signed_in(user: User) -> Client:
    client = browser_of(user)
    client.defaults |= {"REMOTE_ADDR": ADDRESS, "HTTP_USER_AGENT": "Firefox"}
    no_entries_yet()
    return client


def sign_in(name: str, password: str) -> Client:
    client = Client(REMOTE_ADDR=ADDRESS)
    client.post("/admin/sign-in/", {"login": name, "password": password})
    return client


def test_signing_in_and_out() -> None:
    grace = User.objects.create_user("grace", password=PASSWORD, is_staff=True)
    client = sign_in("grace", PASSWORD)
    assert (newest().ip_address, newest().user_id) == (ADDRESS, grace.pk)
    client.post("/admin/logout/")
    assert kept() == [
        ("staff:grace", "sign_in", "auth.user", "done"),
        ("staff:grace", "sign_out", "auth.user", "done"),
    ]


def test_a_sign_in_that_fails_names_the_account_that_was_tried() -> None:
    grace = User.objects.create_user("grace", password=PASSWORD, is_staff=True)
    sign_in("grace", "wrong")
    assert kept() == [("nobody", "sign_in", "auth.user", "refused")]
    assert (newest().subject_id, newest().ip_address) == (str(grace.pk), ADDRESS)


def test_what_was_typed_as_a_name_is_not_kept_because_it_may_be_a_password() -> None:
    sign_in(PASSWORD, "x")
    assert kept() == [("nobody", "sign_in", "auth.user", "refused")]
    assert PASSWORD not in everything()


def everything() -> str:
    """All text of the trail."""
    return str(select("SELECT consumers_auditentry::text FROM consumers_auditentry"))


def test_a_page_that_is_not_theirs() -> None:
    client = signed_in(make_staff("vera", "viewer"))
    assert client.get("/admin/payouts/limit/?q=secret").status_code == 403
    assert kept() == [("staff:vera", "access", "address", "refused")]
    entry = newest()
    assert entry.subject_label == "GET /admin/payouts/limit/"
    assert (entry.reason, entry.agent) == ("permission_denied", "Firefox")
    assert entry.ip_address == ADDRESS
    assert entry.request_id.startswith("req_")


def test_a_scope_that_a_token_has_not() -> None:
    partner = make_partner()
    http = make_http_client(partner=partner, scopes=["api:read"])
    no_entries_yet()
    assert http.post("/v2/consumers/", {"pcid": "p-1"}).status_code == 403
    assert kept() == [("client:Payroll server", "access", "address", "refused")]
    assert (newest().reason, newest().partner_id) == ("insufficient_scope", partner.pk)
    assert newest().client_id is not None


def test_strangers_cannot_fill_the_trail() -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/admin/login/", {"username": "x"}).status_code == 403
    assert kept() == []


def test_what_is_added_changed_and_deleted_on_an_admin_page() -> None:
    client = signed_in(make_staff("adam", "admin"))
    client.post(reverse("admin:auth_group_add"), {"name": "treasury"})
    added = newest()
    assert (added.before, added.after["name"]) == ({}, "treasury")
    group = Group.objects.get(name="treasury")
    client.post(page_address(group), {"name": "finance"})
    changed = newest()
    assert (changed.before, changed.after) == ({"name": "treasury"}, {"name": "finance"})
    assert changed.subject_id == str(group.pk)


def test_saving_without_a_change_leaves_nothing() -> None:
    group = Group.objects.create(name="treasury")
    client = signed_in(make_staff("adam", "admin"))
    assert client.post(page_address(group), {"name": "treasury"}).status_code == 302
    assert kept() == []


def test_a_refused_form_leaves_nothing() -> None:
    client = signed_in(make_staff("adam", "admin"))
    assert client.post(reverse("admin:auth_group_add"), {"name": ""}).status_code == 200
    assert kept() == []


def test_stopping_an_api_client() -> None:
    made = make_api_client().client
    add_client_secret(made)
    client = signed_in(make_staff("adam", "admin"))
    for verb in ("add-secret", "remove-older-secret", "disable"):
        client.post(page_address(made, verb))
    assert [entry[1:] for entry in kept()] == [
        ("remove_secret", "consumers.apiclient", "done"),
        ("disable", "consumers.apiclient", "done"),
    ]


def test_wrong_credentials_of_an_api_client(client: Client) -> None:
    made = make_api_client()
    no_entries_yet()
    for client_id in (made.client.client_id, "somebody"):
        asked = {
            "grant_type": "client_credentials", "client_id": client_id, "client_secret": "guess",
        }  # fmt: skip
        answer = client.post("/auth/token/", asked, content_type="application/json")
        assert answer.status_code == 401
    assert [entry[:2] for entry in kept()] == [("nobody", "sign_in")] * 2
    ids = list(AuditEntry.objects.order_by("id").values_list("subject_id", flat=True))
    assert ids == [str(made.client.pk), ""]
    assert "guess" not in everything()


def decide(client: Client, payment: Payment, verb: str) -> None:
    form = {"seen": digest_of(payment).hex(), "reason": "looks right"}
    client.post(page_address(payment, verb), form)


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_decisions(verb: str) -> None:
    payment = push_for_approval(make_payee())
    client = signed_in(make_staff("carla", "approver"))
    decide(client, payment, verb)
    assert kept() == [("staff:carla", verb, "payouts.payment", "done")]
    entry = newest()
    assert (entry.subject_id, entry.partner_id) == (str(payment.pk), payment.partner_id)
    assert (entry.subject_label, entry.reason) == ("$100.00 to Ada Example", "looks right")


def test_a_decision_that_is_refused() -> None:
    payment = push_for_approval(make_payee())
    client = signed_in(make_staff("carla", "approver"))
    decide(client, payment, "approve")
    no_entries_yet()
    decide(client, payment, "reject")
    assert kept() == [("staff:carla", "reject", "payouts.payment", "refused")]


def test_canceling_and_canceling_too_late() -> None:
    card = make_payee()
    http = make_http_client(partner=card.partner)
    payment = push(card)
    no_entries_yet()
    for _ in range(2):
        http.post(f"/v2/payments/oct/{payment.pk}/cancel/")
    assert payment.status in CANCELABLE
    assert [entry[:2] + entry[3:] for entry in kept()] == [
        ("client:Payroll server", "cancel", "done"),
        ("client:Payroll server", "cancel", "refused"),
    ]


def test_creating_a_payment_leaves_no_entry_because_its_events_are_chained() -> None:
    card = make_payee()
    no_entries_yet()
    push(card)
    assert kept() == []


@pytest.mark.parametrize("build", [push, lambda card: card, lambda card: card.consumer])
def test_who_looked_at_a_payment_a_card_a_consumer(build: Any) -> None:
    row = build(make_payee())
    client = signed_in(make_staff("vera", "viewer"))
    assert client.get(page_address(row)).status_code == 200
    assert kept() == [("staff:vera", "view", row._meta.label_lower, "done")]
    assert newest().subject_id == str(row.pk)


def test_consumers_over_the_api() -> None:
    http = make_http_client(partner=make_partner())
    no_entries_yet()
    person = {"pcid": "p-1", "first_name": "Ada", "tax_identifier": "123-45-6789"}
    http.post("/v2/consumers/", {**person, "tax_id_type": "SSN"})
    consumer = Consumer.objects.get()
    http.patch(f"/v2/consumers/{consumer.pk}/", {"first_name": "Ava", "pcid": "p-1"})
    assert (newest().before, newest().after) == ({"first_name": "Ada"}, {"first_name": "Ava"})
    http.post(f"/v2/consumers/{consumer.pk}/cancel-account/", {"cancellation_reason": "Other"})
    assert [entry[:2] for entry in kept()] == [
        ("client:Payroll server", "add"),
        ("client:Payroll server", "change"),
        ("client:Payroll server", "close"),
    ]
    assert "6789" not in everything()


def test_cards_over_the_api() -> None:
    consumer = make_consumer()
    http = make_http_client(partner=consumer.partner)
    no_entries_yet()
    typed = {"number": VISA_NUMBER, "expiration_month": 12, "expiration_year": 2039}
    http.post(f"/v2/consumers/{consumer.pk}/external-payment-cards/", typed)
    card = PaymentCard.objects.get()
    http.patch(f"/v2/external-payment-cards/{card.pk}/", {"nickname": "blue"})
    http.delete(f"/v2/external-payment-cards/{card.pk}/")
    assert [entry[1] for entry in kept()] == ["add", "change", "deactivate"]
    text = everything()
    assert VISA_NUMBER not in text
    for secret in (card.ciphertext, card.wrapped_key, card.fingerprint):
        assert bytes(secret).hex() not in text


def test_a_card_that_a_network_has_said_is_dead() -> None:
    payment = push_submitted(make_payee())
    no_entries_yet()
    record_outcome(payment.pk, declined("14"))
    ((actor, *rest),) = kept()
    assert rest == ["deactivate", "consumers.paymentcard", "done"]
    assert actor.startswith("system:")
    assert newest().partner_id == payment.partner_id


def test_commands_that_change_something() -> None:
    run("createpartner", "Northwind")
    run("fundpartner", "Northwind", "2500.00")
    run("createapiclient", "Northwind")
    assert [entry[1:3] for entry in kept()] == [
        ("add", "consumers.partner"),
        ("fund", "consumers.partner"),
        ("add", "consumers.apiclient"),
    ]
    assert {entry[0].partition(":")[0] for entry in kept()} == {"system"}
    funded = AuditEntry.objects.get(verb="fund")
    assert funded.after["amount"] == "2500.00"


def test_rotating_keys() -> None:
    make_card()
    no_entries_yet()
    rotate_keys([CARDS], told=lambda _rotation: None)
    assert [entry[1:] for entry in kept()] == [("rotate_keys", "vault", "done")]
    assert newest().after["moved"] == {"cards": 0}
