"""What tests of the back office's own pages share: filling in, confirming, sending, choosing."""

import re
from decimal import Decimal
from typing import Any

from django.test import Client
from django.urls import reverse

from consumers.models import PaymentCard
from payouts.models import IdempotencyKey, Payment
from tests.back_office import Page
from tests.books import available
from tests.pushes import digest_of

ISSUE = "/admin/issue/"
QUOTE = "/admin/issue/quote/"
CONFIRM_PUSH = "/admin/issue/confirm/"
SEND = "/admin/issue/send/"
APPROVALS = "/admin/approvals/"
CONFIRM = "/admin/approvals/confirm/"
DECIDE = "/admin/approvals/decide/"


def filled(card: PaymentCard, amount: str = "100.00", **more: str) -> dict[str, str]:
    """The form that issues a push, filled in."""
    return {"consumer": str(card.consumer_id), "card": str(card.pk), "amount": amount, **more}


def confirm_page(client: Client, card: PaymentCard, amount: str = "100.00", **more: str) -> Any:
    """Where the filled-in form leads: the confirm page, or the form with what is wrong."""
    return client.post(CONFIRM_PUSH, filled(card, amount, **more), follow=True)


def ticket_in(response: Page) -> str:
    """What a confirm page would send back."""
    found = re.search(r'name="ticket" value="([^"]+)"', response.content.decode())
    assert found is not None, "this is no confirm page"
    return found[1]


def ticket_for(client: Client, card: PaymentCard, amount: str = "100.00", **more: str) -> str:
    return ticket_in(confirm_page(client, card, amount, **more))


def send(client: Client, ticket: str) -> Any:
    return client.post(SEND, {"ticket": ticket})


def shown_again(client: Client, ticket: str) -> Any:
    """The page that a send leads to, which has sent nothing."""
    answer = client.post(SEND, {"ticket": ticket}, follow=True)
    assert not answer.redirect_chain[-1][0].startswith("/admin/payouts/payment/")
    return answer


def issue(client: Client, card: PaymentCard, amount: str = "100.00", **more: str) -> Payment:
    """Issue a push as a person does; return it."""
    answer = send(client, ticket_for(client, card, amount, **more))
    payment = Payment.objects.latest("pk")
    assert answer.headers["Location"] == push_address(payment)
    return payment


def push_address(payment: Payment) -> str:
    return reverse("admin:payouts_payment_change", args=[payment.pk])


def has_button(response: Page, words: str) -> bool:
    """Whether the page offers it; what only browsers without scripts show does not count."""
    html = re.sub(r"<noscript>.*?</noscript>", "", response.content.decode(), flags=re.S)
    return re.search(rf'<button type="submit"[^>]*>\s*{re.escape(words)}', html) is not None


def mark(payment: Payment) -> str:
    """What the queue's form sends about a push as it is now."""
    return f"{payment.pk}.{digest_of(payment).hex()}"


def decide(
    client: Client, *payments: Payment, verdict: str = "approve", reason: str = "Looked at them"
) -> Any:
    """Send the page that asks, for pushes as they are now."""
    chosen = [mark(payment) for payment in payments]
    return client.post(DECIDE, {"chosen": chosen, "verdict": verdict, "reason": reason})


def offered(response: Page) -> list[str]:
    """The pushes that can be chosen on a page of the queue, from the top."""
    return re.findall(r'name="chosen" value="([0-9a-f-]{36})\.', response.content.decode())


def listed(response: Page) -> list[str]:
    """The pushes on a page of the queue, from the top."""
    html = response.content.decode()
    return re.findall(r'<a href="/admin/payouts/payment/([0-9a-f-]{36})/change/">', html)


def form_page(client: Client, card: PaymentCard) -> Any:
    """The form for a push to the card's holder."""
    return client.get(ISSUE, {"consumer": str(card.consumer_id)})


def nothing_happened(card: PaymentCard) -> None:
    """No push, no key, and all the money of a funded partner is there."""
    assert not Payment.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert available(card.partner) == Decimal("10000.00")
