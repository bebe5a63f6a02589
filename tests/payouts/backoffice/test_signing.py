"""Showing who one is before a decision counts: a fresh second factor, or one's passkey signs."""

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from payouts.models import Decision, DecisionSignature, Payment
from payouts.states import Status
from tests.back_office import browser_of, page_address, text_of
from tests.passkeys import Passkey
from tests.payouts.backoffice.pages import DECIDE, decide, mark
from tests.pushes import digest_of, make_payee, make_staff, push_for_approval, status_of
from tests.staff_factors import WRONG_CODE, code_of, give_app

pytestmark = pytest.mark.django_db


@pytest.fixture
def carla() -> User:
    member = make_staff("carla", "approver")
    give_app(member)
    return member


@pytest.fixture
def client(carla: User) -> Client:
    return browser_of(carla)


@pytest.fixture
def payment() -> Payment:
    return push_for_approval(make_payee())


@pytest.fixture
def passkey(carla: User) -> Passkey:
    made = Passkey()
    made.add_to(carla)
    return made


def grow_stale(client: Client) -> None:
    session = client.session
    session["account_authentication_methods"][-1]["at"] -= 301
    session.save()


def fields_of(page: Any, form: str) -> dict[str, list[str]]:
    """What the page's form would send back, hidden fields only."""
    (html,) = [
        one for one in re.findall(r"<form.*?</form>", page.content.decode(), re.S) if form in one
    ]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(
        r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?', html
    ):
        found.setdefault(name, []).append(value)
    return found


def answered(page: Any, code: str) -> dict[str, Any]:
    return {**fields_of(page, "step_up_code"), "step_up_code": code}


def signed(page: Any, passkey: Passkey) -> dict[str, Any]:
    return {**fields_of(page, "sign_passkey"), "sign_passkey": sign_for(page, passkey)}


def sign_for(page: Any, passkey: Passkey) -> str:
    return passkey.sign_options(str(page.context["options"]))


def nothing_is_decided(*payments: Payment) -> None:
    assert {status_of(one) for one in payments} == {Status.PENDING_APPROVAL}
    assert not Decision.objects.exists()


class TestASecondFactor:
    def test_that_is_fresh_is_not_asked_for(self, client: Client, payment: Payment) -> None:
        decide(client, payment)
        assert status_of(payment) is Status.PENDING

    def test_that_is_stale_is_asked_for_and_nothing_counts_before(
        self, client: Client, payment: Payment
    ) -> None:
        grow_stale(client)
        page = decide(client, payment)
        assert "Show your second factor to go on" in text_of(page)
        nothing_is_decided(payment)

    def test_brings_back_exactly_what_was_being_done(self, client: Client, carla: User) -> None:
        payments = [push_for_approval(make_payee()) for _ in range(3)]
        grow_stale(client)
        reason = 'She said "yes" & <so> did I'
        page = decide(client, *payments, reason=reason)
        kept = fields_of(page, "step_up_code")
        assert kept["chosen"] == [mark(one) for one in payments]
        form = {**answered(page, code_of(carla)), "reason": reason}
        assert "3 approved by you" in text_of(client.post(DECIDE, form))
        assert set(Decision.objects.values_list("reason", flat=True)) == {reason}

    def test_that_is_wrong_is_asked_for_again(self, client: Client, payment: Payment) -> None:
        grow_stale(client)
        page = decide(client, payment)
        again = client.post(DECIDE, answered(page, WRONG_CODE))
        assert "That is not right" in text_of(again)
        assert fields_of(again, "step_up_code")["chosen"] == [mark(payment)]
        nothing_is_decided(payment)

    def test_counts_once(self, client: Client, carla: User) -> None:
        first, second = push_for_approval(make_payee()), push_for_approval(make_payee())
        grow_stale(client)
        code = code_of(carla)
        client.post(DECIDE, answered(decide(client, first), code))
        grow_stale(client)
        client.post(DECIDE, answered(decide(client, second), code))
        assert status_of(second) is Status.PENDING_APPROVAL

    @pytest.mark.parametrize("verb", ["approve", "reject"])
    def test_is_asked_for_on_the_pushs_page_too(
        self, client: Client, carla: User, payment: Payment, verb: str
    ) -> None:
        grow_stale(client)
        address = page_address(payment, verb)
        page = client.post(address, {"seen": digest_of(payment).hex(), "reason": "Fine"})
        assert "Show your second factor" in text_of(page)
        nothing_is_decided(payment)
        assert client.post(address, answered(page, code_of(carla))).status_code == 302
        assert Decision.objects.get().reason == "Fine"


class TestAPasskey:
    def test_is_asked_to_sign_what_is_decided(
        self, client: Client, passkey: Passkey, payment: Payment
    ) -> None:
        page = decide(client, payment)
        assert "Sign your approval" in text_of(page)
        assert "Largest $100.00 to Ada Example" in text_of(page)
        nothing_is_decided(payment)

    def test_signs_and_then_it_counts(
        self, client: Client, passkey: Passkey, payment: Payment
    ) -> None:
        page = decide(client, payment)
        assert "1 approved by you" in text_of(client.post(DECIDE, signed(page, passkey)))
        kept = Decision.objects.get().signature
        assert kept is not None
        assert kept.passkey == "Work laptop"

    def test_signs_many_at_once(self, client: Client, passkey: Passkey) -> None:
        payments = [push_for_approval(make_payee()) for _ in range(3)]
        page = decide(client, *payments, verdict="reject")
        assert "3 rejected by you" in text_of(client.post(DECIDE, signed(page, passkey)))
        assert DecisionSignature.objects.count() == 1
        assert [one.place for one in Decision.objects.order_by("pk")] == [0, 1, 2]

    @pytest.mark.parametrize("verb", ["approve", "reject"])
    def test_signs_on_the_pushs_page_too(
        self, client: Client, passkey: Passkey, payment: Payment, verb: str
    ) -> None:
        address = page_address(payment, verb)
        page = client.post(address, {"seen": digest_of(payment).hex(), "reason": "Fine"})
        assert f"Sign your {'approval' if verb == 'approve' else 'rejection'}" in text_of(page)
        client.post(address, signed(page, passkey))
        assert Decision.objects.get().signature is not None
        assert "signed by passkey Work laptop" in text_of(client.get(page_address(payment)))

    def test_is_not_replaced_by_a_code(
        self, client: Client, passkey: Passkey, payment: Payment, carla: User
    ) -> None:
        asked = {"step_up_method": "POST", "step_up_code": code_of(carla)}
        form = {"chosen": mark(payment), "verdict": "approve", "reason": "x", **asked}
        assert "Sign your approval" in text_of(client.post(DECIDE, form))
        nothing_is_decided(payment)

    @pytest.mark.parametrize(
        "change",
        [
            {"verdict": "reject"},
            {"reason": "Something else"},
            {"sign_at": "1"},
            {"sign_at": "1700000000"},
            {"sign_at": "9" * 11},
            {"sign_nonce": "x"},
            {"sign_nonce": "0" * 32},
            {"sign_passkey": "{}"},
            {"sign_passkey": "nonsense"},
            {"sign_passkey": "[]"},
        ],
        ids=lambda change: json.dumps(change),
    )
    def test_has_not_signed_what_was_changed_on_the_way(
        self, client: Client, passkey: Passkey, payment: Payment, change: dict[str, str]
    ) -> None:
        page = decide(client, payment)
        answer = client.post(DECIDE, {**signed(page, passkey), **change})
        assert "The signature was not accepted" in text_of(answer)
        nothing_is_decided(payment)

    def test_has_not_signed_another_push(self, client: Client, passkey: Passkey) -> None:
        mine, other = push_for_approval(make_payee()), push_for_approval(make_payee())
        form = signed(decide(client, mine), passkey)
        client.post(DECIDE, {**form, "chosen": mark(other)})
        client.post(DECIDE, {**form, "chosen": [mark(mine), mark(other)]})
        nothing_is_decided(mine, other)

    def test_sent_again_answers_the_same(
        self, client: Client, passkey: Passkey, payment: Payment
    ) -> None:
        form = signed(decide(client, payment), passkey)
        first, second = client.post(DECIDE, form), client.post(DECIDE, form)
        assert text_of(first) == text_of(second)
        assert Decision.objects.count() == 1

    def test_of_somebody_else_signs_nothing(
        self, client: Client, passkey: Passkey, payment: Payment
    ) -> None:
        answer = client.post(DECIDE, signed(decide(client, payment), Passkey()))
        assert "The signature was not accepted" in text_of(answer)
        nothing_is_decided(payment)


@pytest.mark.parametrize("pushes", [1, 5])
def test_asking_to_sign_costs_a_fixed_number_of_statements(
    client: Client, passkey: Passkey, pushes: int, statements: Any
) -> None:
    chosen = [mark(push_for_approval(make_payee())) for _ in range(pushes)]
    form = {"chosen": chosen, "verdict": "approve", "reason": "Looked at them"}
    client.post(DECIDE, form)
    # Session, person, permissions (two), whether there is a passkey, passkeys, pushes, decisions,
    # editors, requirements, approvers and their groups; then the session (three).
    with statements() as log:
        client.post(DECIDE, form)
    assert len(log) == 15, log
