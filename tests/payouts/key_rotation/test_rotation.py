"""From one key to another with everything that is sealed, and the old key is needed no more."""

import base64
import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from django.utils import timezone

from consumers.models import AuditEntry, Consumer, PaymentCard
from consumers.operations.consumers import (
    TAX_IDENTIFIERS,
    register_consumer,
    reveal_identity,
    update_consumer,
)
from consumers.operations.rotate_keys import rotate_keys
from consumers.vault import key_ring_from_settings
from payouts.models import Batch, BatchState, EvidenceFile, WebhookEndpoint
from payouts.operations.batches.read_batch import read_next_batch
from payouts.operations.check_factor import check_code
from payouts.operations.keep_evidence import keep_evidence, reveal_evidence
from payouts.operations.report_missing_keys import report_missing_card_keys
from payouts.operations.reseal_factors import SECOND_FACTORS
from payouts.operations.sealed_kinds import SEALED_KINDS
from payouts.operations.take_notification import take_notification
from payouts.operations.webhook_endpoints import rotate_webhook_secret, webhook_keys
from tests.batches import csv_file, line, upload
from tests.builders import VISA_NUMBER
from tests.doubts import LETTER
from tests.payouts.webhooks.cast import make_webhook
from tests.pushes import claim, make_payee, make_staff, push, push_unknown
from tests.staff_factors import (
    code_of,
    give_app,
    give_code,
    give_password,
    is_in,
    make_member,
    recovery_codes_of,
)
from tests.vault_keys import use_keys

pytestmark = pytest.mark.django_db

SEALED_TABLES = {
    "consumers_consumer",
    "consumers_paymentcard",
    "mfa_authenticator",
    "payouts_batchfile",
    "payouts_evidencefile",
    "payouts_networknotification",
    "payouts_webhookendpoint",
}
ONE_OF_EACH = (
    "2 second factors, 1 cards, 1 webhook secrets, 1 previous webhook secrets, "
    "1 tax identifiers, 1 files of batches, 1 files of evidence, "
    "1 notifications of networks"
)


@pytest.fixture(autouse=True)
def _old_keys(settings: Any) -> None:
    use_keys(settings, "kek1")


@pytest.fixture
def grace() -> User:
    member = make_member()
    give_app(member)
    return member


@pytest.fixture
def card(grace: User) -> PaymentCard:
    """A card that money can be pushed to, beside one of all else that is sealed."""
    made = make_payee()
    rotate_webhook_secret(make_webhook(partner=made.partner), overlap=timedelta(hours=1))
    keep_evidence(LETTER, payment=push_unknown(made), by=make_staff("opal", "operations"))
    take_notification("sandbox", b"{}", signature="")
    register_consumer(made.partner_id, pcid="with-tax-id", tax_identifier="000-12-3456")
    upload(made.partner, grace, csv_file(line(made)))
    return made


def both_keys(settings: Any) -> None:
    use_keys(settings, "kek2", "kek1", fingerprints=("fp2", "fp1"))


def only_new_keys(settings: Any) -> None:
    use_keys(settings, "kek2", fingerprints=("fp2",))


def command(*words: str) -> list[str]:
    out = StringIO()
    call_command("rotate_card_keys", *words, stdout=out, stderr=StringIO())
    return out.getvalue().splitlines()


def check() -> tuple[list[str], bool]:
    """What `--check` says about every key, and whether it is content."""
    out = StringIO()
    try:
        call_command("rotate_card_keys", "--check", stdout=out)
    except CommandError:
        return out.getvalue().splitlines(), False
    return out.getvalue().splitlines(), True


def tables_that_name(key_id: str) -> set[str]:
    """Tables in which the id of a key stands, however it is written down there."""
    sealed = f"{key_id}|".encode()
    base64_start = base64.b64encode(sealed).decode()[: len(sealed) * 8 // 6]
    looks = [f"%{look}%" for look in (key_id, sealed.hex(), base64_start)]
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            looked = f'SELECT 1 FROM "{table}" t WHERE t::text LIKE ANY(%s) LIMIT 1'
            cursor.execute(looked, [looks])
            found |= {table} if cursor.fetchone() else set()
    return found


def test_everything_opens_after_the_old_keys_are_dropped(
    card: PaymentCard, grace: User, settings: Any
) -> None:
    both_keys(settings)
    command()
    only_new_keys(settings)
    by_app, by_recovery_code = Client(), Client()
    give_password(by_app)
    give_code(by_app, code_of(grace))
    assert is_in(by_app)
    give_password(by_recovery_code)
    give_code(by_recovery_code, recovery_codes_of(grace)[0])
    assert is_in(by_recovery_code)
    assert claim(push(card, amount="5.00")).push.number == VISA_NUMBER
    with_tax_id = Consumer.objects.get(pcid="with-tax-id")
    assert reveal_identity(with_tax_id, reason="test").tax_identifier == "000-12-3456"
    assert read_next_batch()
    assert Batch.objects.get().state == BatchState.CHECKING
    evidence = EvidenceFile.objects.get()
    assert reveal_evidence(evidence.pk, by=make_staff("ann", "auditor"))[1] == LETTER.content
    assert len(webhook_keys(WebhookEndpoint.objects.get(), at=timezone.now())) == 2


def test_no_table_names_the_old_key_any_more(card: PaymentCard, settings: Any) -> None:
    assert tables_that_name("kek1") == SEALED_TABLES
    both_keys(settings)
    command()
    assert tables_that_name("kek1") == set()
    assert tables_that_name("fp1") == set()
    assert tables_that_name("kek2") == {*SEALED_TABLES, "consumers_auditentry"}


def test_counts_every_kind_and_leaves_an_entry(card: PaymentCard, settings: Any) -> None:
    both_keys(settings)
    begun, moved, left = command()
    assert begun.endswith(f"Under others: {ONE_OF_EACH}.")
    assert moved == f"Moved: {ONE_OF_EACH}."
    assert left == f"Under other keys now: {re.sub('[12]', '0', ONE_OF_EACH)}."
    assert AuditEntry.objects.get(verb="rotate_keys").after["moved"] == {
        "second factors": 2, "cards": 1, "webhook secrets": 1, "previous webhook secrets": 1,
        "tax identifiers": 1, "files of batches": 1, "files of evidence": 1,
        "notifications of networks": 1,
    }  # fmt: skip


def test_the_check_names_what_every_key_is_needed_for(card: PaymentCard, settings: Any) -> None:
    both_keys(settings)
    assert check() == (
        [
            "CARD_ENCRYPTION_KEYS 'kek2': current.",
            f"CARD_ENCRYPTION_KEYS 'kek1': needed by {ONE_OF_EACH}.",
            "CARD_FINGERPRINT_KEYS 'fp2': current.",
            "CARD_FINGERPRINT_KEYS 'fp1': needed by 1 cards.",
        ],
        False,
    )
    assert tables_that_name("kek2") == set()


def test_the_check_says_when_a_key_may_be_dropped(card: PaymentCard, settings: Any) -> None:
    both_keys(settings)
    command()
    said, is_content = check()
    assert is_content
    assert "CARD_ENCRYPTION_KEYS 'kek1': may be dropped: nothing needs it." in said
    assert "CARD_FINGERPRINT_KEYS 'fp1': may be dropped: nothing needs it." in said
    assert said[-1] == "Nothing needs a key that is not current."


def test_the_check_names_a_key_that_is_lost(card: PaymentCard, settings: Any) -> None:
    use_keys(settings, "kek2")
    said, is_content = check()
    assert not is_content
    assert "CARD_ENCRYPTION_KEYS 'kek1': LOST, needed by 2 second factors" in "\n".join(said)


def test_one_second_factor_under_an_old_key_is_enough_to_keep_it(
    card: PaymentCard, settings: Any
) -> None:
    both_keys(settings)
    command()
    use_keys(settings, "kek1", "kek2", fingerprints=("fp2",))
    give_app(make_member("heidi"))
    both_keys(settings)
    said, is_content = check()
    assert not is_content
    assert "CARD_ENCRYPTION_KEYS 'kek1': needed by 2 second factors." in said


def test_a_recovery_code_that_is_spent_meanwhile_stays_spent(grace: User, settings: Any) -> None:
    both_keys(settings)
    ring = key_ring_from_settings()
    row = SECOND_FACTORS.behind(ring).get(type=Authenticator.Type.RECOVERY_CODES)
    move = SECOND_FACTORS.moved(row, ring=ring)
    spent, *unspent = recovery_codes_of(grace)
    check_code(grace, code=spent)
    assert SECOND_FACTORS.store([move], left=lambda why, row: None) == 1
    only_new_keys(settings)
    assert recovery_codes_of(grace) == unspent


def test_an_app_that_is_replaced_meanwhile_stays_the_new_one(grace: User, settings: Any) -> None:
    both_keys(settings)
    ring = key_ring_from_settings()
    row = SECOND_FACTORS.behind(ring).get(type=Authenticator.Type.TOTP)
    move = SECOND_FACTORS.moved(row, ring=ring)
    Authenticator.objects.filter(pk=row.pk).update(data={"secret": "another"})
    assert SECOND_FACTORS.store([move], left=lambda why, row: None) == 0
    assert Authenticator.objects.get(pk=row.pk).data == {"secret": "another"}


def test_a_text_that_is_changed_meanwhile_stays_the_new_one(
    card: PaymentCard, settings: Any
) -> None:
    both_keys(settings)
    ring = key_ring_from_settings()
    consumer = TAX_IDENTIFIERS.behind(ring).get()
    move = TAX_IDENTIFIERS.moved(consumer, ring=ring)
    update_consumer(consumer, tax_identifier="000-65-4321")
    assert TAX_IDENTIFIERS.store([move], left=lambda why, row: None) == 0
    assert reveal_identity(consumer, reason="test").tax_identifier == "000-65-4321"


@pytest.mark.parametrize("secret", ["", "###", "a2VrMXw="])
def test_a_second_factor_that_does_not_open_is_named_and_stays(
    grace: User, settings: Any, secret: str
) -> None:
    broken = Authenticator.objects.get(type=Authenticator.Type.TOTP)
    Authenticator.objects.filter(pk=broken.pk).update(data={"secret": secret})
    both_keys(settings)
    with pytest.raises(CommandError) as raised:
        command()
    assert str(raised.value) == f"Second factors that cannot be opened: {broken.pk}"
    assert Authenticator.objects.get(pk=broken.pk).data == {"secret": secret}
    assert not check()[1]


def test_a_passkey_needs_no_key(settings: Any) -> None:
    member = make_member()
    data = {"name": "Work laptop", "credential": {}}
    Authenticator.objects.create(user=member, type=Authenticator.Type.WEBAUTHN, data=data)
    both_keys(settings)
    assert rotate_keys(SEALED_KINDS, told=lambda _: None).is_clean
    assert check()[1]


def test_a_batch_whose_key_is_missing_waits_for_it(
    card: PaymentCard, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    use_keys(settings, "kek2")
    assert not read_next_batch()
    assert Batch.objects.get().state == BatchState.READING
    report_missing_card_keys()
    assert "lacks the key 'kek1': 1 files of batches wait for it" in caplog.text
    both_keys(settings)
    assert read_next_batch()
    assert Batch.objects.get().state == BatchState.CHECKING
