"""Approving or rejecting a batch, whole or in part, and who gets to which of its pages."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from consumers.ids import new_id
from consumers.models import Consumer, Partner
from payouts.approvals import Source
from payouts.models import ApprovalRequirement, ApprovalRule, Batch, BatchOrder, Payment
from payouts.operations.batches.order_batch import carry_out_next
from payouts.staff import ROLES
from payouts.states import Status
from tests.back_office import browser, browser_of, text_of
from tests.batches import issued, line
from tests.passkeys import Passkey
from tests.pushes import make_funded_partner, make_payee, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner() -> Partner:
    ApprovalRule.objects.create(name="batches", source=Source.BATCH)
    return make_funded_partner()


@pytest.fixture
def batch(partner: Partner, mia: User) -> Batch:
    card = make_payee(partner=partner)
    return issued(partner, mia, *[line(card, f"{n}.00") for n in range(2, 7)])


@pytest.fixture
def ann() -> Client:
    return browser("approver", username="ann")


def address(batch: Batch, page: str = "decide_batch", *more: str) -> str:
    return reverse(f"backoffice:{page}", args=[batch.pk, *more])


def confirm_page(ann: Client, batch: Batch, **form: Any) -> Any:
    return ann.post(address(batch), {"go": "approve", "left_out": "", **form})


def hidden(page: Any, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.content.decode())
    assert found is not None
    return found[1]


def decide(ann: Client, batch: Batch, page: Any, reason: str = "Looked at it") -> Any:
    form = {name: hidden(page, name) for name in ("verdict", "left_out", "digest")}
    return ann.post(address(batch, "order_batch"), {**form, "reason": reason})


def waiting_lines(batch: Batch) -> list[int]:
    rows = batch.rows.filter(payment__status=Status.PENDING_APPROVAL.value)
    return list(rows.order_by("line").values_list("line", flat=True))


def test_approves_the_whole_batch(ann: Client, batch: Batch) -> None:
    assert "Decide about 5 pushes" in text_of(ann.get(address(batch, "batch")))
    page = confirm_page(ann, batch)
    assert "Approve 5 pushes of $20.00?" in text_of(page)
    assert decide(ann, batch, page).status_code == 302
    assert waiting_lines(batch) == [2, 3, 4, 5, 6]
    assert carry_out_next()
    assert set(Payment.objects.values_list("status", flat=True)) == {Status.PENDING}
    assert "approved 5 of 5 pushes" in text_of(ann.get(address(batch, "batch")))


def test_approves_a_part_and_the_rest_goes_on_waiting(ann: Client, batch: Batch) -> None:
    lines = ["2", "3", "4", "5", "6"]
    page = confirm_page(ann, batch, left_out="6", line=lines, keep=["2", "4", "5", "6"])
    assert hidden(page, "left_out") == "3, 6"
    assert "Approve 3 pushes of $11.00?" in text_of(page)
    decide(ann, batch, page)
    carry_out_next()
    assert waiting_lines(batch) == [3, 6]


def test_a_tick_that_is_made_again_takes_the_line_in(ann: Client, batch: Batch) -> None:
    form = {"left_out": "3-4", "line": ["3", "4"], "was_out": ["3", "4"], "keep": ["4"]}
    assert hidden(confirm_page(ann, batch, **form), "left_out") == "3"


def test_says_of_each_line_which_rule_asks_and_what_is_blocked(ann: Client, batch: Batch) -> None:
    page = text_of(ann.get(address(batch)))
    assert page.count("0 of 1 batches") == 5
    # Five pushes, and one card.
    assert "To first-time cards 1" in page
    assert "Blocked" not in page
    ApprovalRequirement.objects.create(payment=Payment.objects.get(amount=2), name="x", decisions=2)
    assert text_of(ann.get(address(batch))).count("Blocked: nobody is left") == 1


def test_rejects(ann: Client, batch: Batch) -> None:
    page = ann.post(address(batch), {"go": "reject", "left_out": "2"})
    assert "Reject 4 pushes" in text_of(page)
    decide(ann, batch, page)
    carry_out_next()
    assert waiting_lines(batch) == [2]


def test_wants_a_fresh_second_factor(ann: Client, batch: Batch, settings: Any) -> None:
    page = confirm_page(ann, batch)
    settings.STEP_UP_SECONDS = -1
    answer = decide(ann, batch, page)
    assert "Show your second factor to go on" in text_of(answer)
    assert not BatchOrder.objects.exists()


def test_wants_a_reason(ann: Client, batch: Batch) -> None:
    answer = decide(ann, batch, confirm_page(ann, batch), reason="")
    assert "Say why." in text_of(answer)
    assert not BatchOrder.objects.exists()


def test_decides_nothing_if_something_has_changed_since(ann: Client, batch: Batch) -> None:
    page = confirm_page(ann, batch)
    Consumer.objects.update(last_name="Other")
    answer = decide(ann, batch, page)
    assert "Something has changed since you looked" in text_of(answer)
    assert not BatchOrder.objects.exists()
    assert hidden(answer, "digest") != hidden(page, "digest")


@pytest.mark.parametrize("digest", ["", "0" * 64])
def test_takes_no_digest_that_it_did_not_show(ann: Client, batch: Batch, digest: str) -> None:
    form = {"verdict": "approve", "left_out": "", "digest": digest, "reason": "x"}
    ann.post(address(batch, "order_batch"), form)
    assert not BatchOrder.objects.exists()


def test_offers_the_uploader_nothing(batch: Batch, mia: User) -> None:
    mia.groups.add(*make_staff("other", "approver").groups.all())
    client = browser_of(User.objects.get(pk=mia.pk))
    assert "Decide about" not in text_of(client.get(address(batch, "batch")))
    answer = client.get(address(batch), follow=True)
    assert "Nothing of this batch waits for you." in text_of(answer)
    answer = client.post(address(batch), {"go": "approve"}, follow=True)
    assert not BatchOrder.objects.exists()


def test_says_that_lines_cannot_be_read(ann: Client, batch: Batch) -> None:
    answer = ann.post(address(batch), {"go": "after-0", "left_out": "all of them"})
    assert "Lines are written like 17, 203-210" in text_of(answer)


def test_keeps_the_choice_from_page_to_page(ann: Client, partner: Partner, mia: User) -> None:
    card = make_payee(partner=partner)
    batch = issued(partner, mia, *[line(card, f"{n}.00") for n in range(1, 121)])
    first = ann.get(address(batch))
    assert 'value="after-101"' in first.content.decode()
    on_page = re.findall(r'name="line" value="(\d+)"', first.content.decode())
    assert len(on_page) == 100
    form = {"go": "after-101", "line": on_page, "keep": on_page[3:], "left_out": ""}
    second = ann.post(address(batch), form)
    assert 'value="2-4"' in second.content.decode()
    assert "117 of 120" in text_of(second)


READERS = frozenset(role.name for role in ROLES)
MAKER, APPROVER = frozenset({"maker"}), frozenset({"approver"})
# Who is let in: by GET where a page is shown, else by POST.
TABLE = [
    ("batches", "get", READERS),
    ("new_batch", "get", MAKER),
    ("new_batch", "post", MAKER),
    ("batch_template", "get", MAKER),
    ("batch", "get", READERS),
    ("batch_live", "get", READERS),
    ("choose_lines", "post", MAKER),
    ("check_batch", "post", MAKER),
    ("issue_batch", "post", MAKER),
    ("withdraw_batch", "post", MAKER),
    ("cancel_batch", "post", MAKER),
    ("decide_batch", "get", APPROVER),
    ("decide_batch", "post", APPROVER),
    ("order_batch", "post", APPROVER),
    ("batch_results", "get", READERS - {"viewer"}),
]
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "batches": (), "new_batch": (), "batch_template": ("csv",), "batch_results": ("csv",),
}  # fmt: skip


@pytest.mark.parametrize(("page", "method", "let_in"), TABLE)
def test_each_role_gets_where_the_table_says(
    batch: Batch, page: str, method: str, let_in: frozenset[str]
) -> None:
    given = [] if page in {"batches", "new_batch", "batch_template"} else [batch.pk]
    where = reverse(f"backoffice:{page}", args=[*given, *ARGUMENTS.get(page, ())])
    for role in READERS:
        answer = getattr(browser(role, username=f"one-{role}"), method)(where)
        assert (answer.status_code == 403) == (role not in let_in), role
    assert getattr(browser(username="nobody"), method)(where).status_code == 403
    stranger = getattr(Client(), method)(where)
    assert stranger.status_code in {200, 302}
    assert "HX-Refresh" in stranger.headers or "/login/" in stranger.headers["Location"]


def test_batches_that_are_not_there_are_not_found(ann: Client) -> None:
    for page in ("batch", "decide_batch"):
        assert ann.get(reverse(f"backoffice:{page}", args=[new_id()])).status_code == 404


def test_a_passkey_signs_the_whole_order(batch: Batch) -> None:
    member, passkey = make_staff("ann", "approver"), Passkey()
    passkey.add_to(member)
    ann = browser_of(member)
    page = decide(ann, batch, confirm_page(ann, batch))
    assert "Sign your approval" in text_of(page)
    assert not BatchOrder.objects.exists()
    kept = dict(page.context["kept"]) | page.context["ours"]
    answer = passkey.sign_options(page.context["options"])
    ann.post(address(batch, "order_batch"), {**kept, "sign_passkey": answer})
    while carry_out_next():
        pass
    order = BatchOrder.objects.get()
    assert order.signature is not None
    assert (order.done, order.refused) == (5, {})
