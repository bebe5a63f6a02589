"""Receivers that fail, hang, redirect, lie and go: nothing is missing, nobody else waits."""

import asyncio
import random
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone
from standardwebhooks import Webhook

from consumers.models import Partner
from payouts.models import Delivery, OutboxEvent, WebhookEndpoint
from payouts.operations.deliveries import Answer, Parcel, claim_deliveries
from payouts.operations.webhook_endpoints import rotate_webhook_secret, webhook_keys
from payouts.webhooks import connecting, sender
from payouts.webhooks.addresses import AddressRules
from payouts.webhooks.deliver import deliver_webhooks
from payouts.webhooks.sender import Sender
from tests.payouts.webhooks.cast import claimed, make_deliveries, make_due, make_webhook
from tests.payouts.webhooks.hostile import urls
from tests.payouts.webhooks.receiver import Received, Receiver, Reply, receiver
from tests.pushes import make_funded_partner, make_payee, push

pytestmark = pytest.mark.django_db(transaction=True)

RULES = AddressRules(loopback=True)


@pytest.fixture(autouse=True)
def _soon(settings: Any) -> None:
    """A second where life has fifteen, and no pause is waited for."""
    settings.WEBHOOK_TIMEOUT_SECONDS = 1


def happen(partner: Partner, *, number: int) -> None:
    for each in range(number):
        push(make_payee(partner=partner), amount=f"{each + 1}.00")


def deliver_all(*, rounds: int = 12) -> None:
    """Let every pause be over at once, until nothing is due."""
    for _ in range(rounds):
        deliver_webhooks()
        make_due()
        if not Delivery.objects.filter(state__in=["due", "sending"]).exists():
            return


def told_to(webhook: WebhookEndpoint) -> set[str]:
    rows = Delivery.objects.filter(endpoint=webhook, state="delivered")
    return set(map(str, rows.values_list("event_id", flat=True)))


def send_one(webhook: WebhookEndpoint, *, rules: AddressRules = RULES) -> Answer:
    """Send what is due to the webhook, once, past all keeping of books."""
    make_deliveries(webhook)
    (parcel,) = claimed()
    return send(parcel, rules=rules)


def send(parcel: Parcel, *, rules: AddressRules = RULES) -> Answer:
    async def once() -> Answer:
        one = Sender(rules=rules, seconds=1, most_connections=5)
        try:
            return await one.send(parcel)
        finally:
            await one.close()

    return asyncio.run(once())


def test_a_receiver_that_fails_a_third_of_the_time_misses_nothing() -> None:
    chance = random.Random(7)  # noqa: S311  # the same in every run
    failed: Counter[str] = Counter()

    def sometimes(one: Received) -> Reply:
        if chance.random() < 0.3 and failed[one.id] < 9:
            failed[one.id] += 1
            return Reply(status=500)
        return Reply()

    with receiver(sometimes) as place:
        webhook = make_webhook(url=place.url)
        happen(webhook.partner, number=40)
        deliver_all()
    assert failed
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    known = Counter(place.ids)
    assert len(known) == OutboxEvent.objects.count() == 40
    # Each try has the id of its event: one more than it failed.
    assert known == Counter({name: failed[name] + 1 for name in known})


def test_every_try_is_signed_anew_and_verifies() -> None:
    with receiver(lambda _: Reply(status=503)) as place:
        webhook = make_webhook(url=place.url)
        (old,) = webhook_keys(webhook, at=timezone.now())
        happen(webhook.partner, number=1)
        deliver_webhooks()
        new = rotate_webhook_secret(webhook).secret
        make_due()
        deliver_webhooks()
    first, second = place.received
    assert (first.id, first.body) == (second.id, second.body)
    Webhook(old).verify(first.body, first.headers)
    for key in (old, new):
        Webhook(key).verify(second.body, second.headers)
    assert second.headers["upwardli-signature"].count("v1=") == 2
    assert second.headers["content-type"] == "application/json"


def test_hanging_endpoints_delay_nobody_else() -> None:
    partner = make_funded_partner()
    with receiver(Reply(hangs=True)) as slow, receiver() as quick:
        for _ in range(4):
            make_webhook(partner=partner, url=slow.url)
        webhook = make_webhook(partner=partner, url=quick.url)
        happen(partner, number=20)
        arrived: list[float] = []
        quick.reply = lambda _: arrived.append(time.monotonic()) or Reply()  # type: ignore[func-returns-value]
        began = time.monotonic()
        deliver_webhooks()
        assert len(told_to(webhook)) == 20
    assert max(arrived) - began < 1.0
    assert Delivery.objects.filter(state="delivered").count() == 20
    assert Delivery.objects.filter(last_error="timeout").exists()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_nobody_follows_it(status: int) -> None:
    with receiver() as elsewhere:
        answer = Reply(status=status, headers={"Location": elsewhere.url})
        with receiver(answer) as place:
            webhook = make_webhook(url=place.url)
            assert send_one(webhook).status == status
    assert elsewhere.received == []


def test_410_ends_it_after_one_try() -> None:
    with receiver(Reply(status=410)) as place:
        webhook = make_webhook(url=place.url)
        happen(webhook.partner, number=1)
        deliver_all()
    webhook.refresh_from_db()
    assert (webhook.disabled_why, len(place.received)) == ("gone", 1)
    assert Delivery.objects.get().state == "parked"


def test_a_worker_that_dies_while_sending_loses_nothing() -> None:
    with receiver() as place:
        webhook = make_webhook(url=place.url)
        make_deliveries(webhook, number=3)
        assert len(claim_deliveries(limit=10)) == 3
        deliver_all()
    assert len(set(place.ids)) == 3
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "not_http"),
        (b"\x00" * 5000, "not_http"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "not_http"),
        (b"HTTP/1.1 2", "not_http"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000, "not_http"),
    ],
)
def test_what_is_no_answer_is_a_failure(content: bytes, word: str) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.sendall(content)
        connection.close()

    threading.Thread(target=talk, daemon=True).start()
    with listener:
        answer = send_one(make_webhook(url=f"http://127.0.0.1:{listener.getsockname()[1]}/"))
    assert answer.status is None
    assert answer.error in (word, "connection_lost", "timeout")


def test_of_a_long_answer_the_beginning_is_kept() -> None:
    body = b"<b>\x00\x1b[31m" + b"x" * 100_000
    with receiver(Reply(status=200, body=body)) as place:
        answer = send_one(make_webhook(url=place.url))
    assert answer.status == 200
    assert len(answer.text) == 2048
    assert "\x00" not in answer.text
    assert "\x1b" not in answer.text


def test_nobody_there_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert send_one(make_webhook(url=f"http://127.0.0.1:{port}/")).error == "connection_failed"


class TestHostileAddresses:
    """A row that was written past the operations, as before a rule was there: none is dialled."""

    def test_none_is_connected_to(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self._watched(monkeypatch)
        with receiver() as inside:
            webhook = make_webhook(url=inside.url)
            make_deliveries(webhook)
            (parcel,) = claimed()
            for url in urls():
                sent = Parcel(1, 1, webhook.pk, url, parcel.event, parcel.keys)
                answer = send(sent, rules=AddressRules())
                assert answer.error == "address_refused", url
            # The very place that does listen, without leave to go there.
            assert send(parcel, rules=AddressRules()).error == "address_refused"
        assert inside.received == []
        assert found == []

    def test_a_name_that_was_good_and_leads_inside_now(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with receiver() as inside:
            port = inside.server.server_port
            rules = AddressRules(ports=frozenset({port}))
            webhook = make_webhook()
            make_deliveries(webhook)
            (parcel,) = claimed()
            url = f"https://hooks.partner.com:{port}/"
            sent = Parcel(1, 1, webhook.pk, url, parcel.event, parcel.keys)
            monkeypatch.setattr(connecting, "_look_up", lambda *_: ["127.0.0.1"])
            assert send(sent, rules=rules).error == "address_refused"
        assert inside.received == []

    def _watched(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        found: list[Any] = []
        plain = socket.socket.connect

        def connect(self: socket.socket, address: Any) -> None:
            if self.family != socket.AF_UNIX:
                found.append(address)
            plain(self, address)

        monkeypatch.setattr(socket.socket, "connect", connect)
        return found


class TestTLS:
    """The name's certificate at the judged address: SNI, Host and the check are the name's."""

    NAME = "hooks.partner.com"

    @pytest.fixture
    def secure(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
        certificate = _certificate(self.NAME, tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.names: list[str | None] = []
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        trusting = ssl.create_default_context(cafile=str(certificate))
        monkeypatch.setattr(sender, "_trust", lambda: trusting)
        with receiver() as place:
            place.server.socket = context.wrap_socket(place.server.socket, server_side=True)
            monkeypatch.setattr(connecting, "_look_up", lambda *_: ["127.0.0.1"])
            monkeypatch.setattr(connecting, "may_connect", lambda *_, **__: True)
            yield place

    def test_asks_for_the_name_and_nothing_else(self, secure: Receiver) -> None:
        answer = self._sent(secure, self.NAME)
        assert answer.status == 204
        (got,) = secure.received
        assert self.names == [self.NAME]
        assert got.headers["host"] == f"{self.NAME}:{secure.server.server_port}"

    def test_a_certificate_of_another_name_is_refused(self, secure: Receiver) -> None:
        answer = self._sent(secure, "other.partner.com")
        assert (answer.status, answer.error) == (None, "tls_failed")
        assert secure.received == []

    def _sent(self, place: Receiver, name: str) -> Answer:
        port = place.server.server_port
        webhook = make_webhook()
        make_deliveries(webhook)
        (parcel,) = claimed()
        url = f"https://{name}:{port}/"
        sent = Parcel(1, 1, webhook.pk, url, parcel.event, parcel.keys)
        return send(sent, rules=AddressRules(ports=frozenset({port})))


def _certificate(name: str, folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
