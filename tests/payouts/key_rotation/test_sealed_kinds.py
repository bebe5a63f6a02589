"""Nothing that is sealed is forgotten when keys rotate: neither a column nor a file that seals."""

import ast
from collections.abc import Iterator

from django.apps import apps
from django.db.models import BinaryField

from payouts.operations.sealed_kinds import SEALED_KINDS
from tests.source_trees import (
    _trees_are_let_go,  # noqa: F401  # a fixture
    calls,
    product,
)

# Bytes that no key of the vault has sealed. A new column of bytes belongs here or into a kind.
NOT_SEALED = {
    "consumers.APIClientSecret.digest",
    "consumers.AccessToken.digest",
    "payouts.AuditBlock.digest",
    "payouts.AuditBlock.hash",
    "payouts.AuditBlock.marks",
    "payouts.AuditBlock.previous_hash",
    "payouts.Batch.file_digest",
    "payouts.BatchOrder.digest",
    "payouts.BatchOrder.marks",
    "payouts.ChangeEvent.row_digest",
    "payouts.ChangeRequest.digest",
    "payouts.Decision.digest",
    "payouts.DayProof.sha256",
    "payouts.DecisionSignature.authenticator_data",
    "payouts.DecisionSignature.challenge",
    "payouts.DecisionSignature.client_data",
    "payouts.DecisionSignature.credential_id",
    "payouts.DecisionSignature.marks",
    "payouts.DecisionSignature.public_key",
    "payouts.DecisionSignature.signature",
    "payouts.EvidenceFile.sha256",
    "payouts.Export.sha256",
    "payouts.ExportPiece.content",
    "payouts.IdempotencyKey.answer",
    "payouts.IdempotencyKey.request_digest",
    "payouts.NetworkNotification.sha256",
    "payouts.SettlementFile.sha256",
    "payouts.SettlementPiece.content",
    "payouts.SignInTries.key",
    "payouts.StatementContent.content",
    "payouts.StatementFile.sha256",
}

# Whoever calls the vault to seal, and the kinds that this makes.
SEALS = {
    "consumers/operations/cards.py": {"cards"},
    "consumers/operations/consumers.py": {"tax identifiers"},
    "payouts/operations/keep_evidence.py": {"files of evidence"},
    "payouts/operations/take_notification.py": {"notifications of networks"},
    "payouts/operations/batches/upload_batch.py": {"files of batches"},
    "payouts/operations/webhook_endpoints.py": {"webhook secrets", "previous webhook secrets"},
    "payouts/seeding/people.py": {"cards"},
    "payouts/sign_in/adapters.py": {"second factors"},
}


def columns_of_bytes() -> Iterator[str]:
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, BinaryField):
                yield f"{model._meta.label}.{field.name}"


def test_every_column_of_bytes_is_moved_with_the_keys_or_known_not_to_be_sealed() -> None:
    moved = {column for kind in SEALED_KINDS for column in kind.columns}
    assert set(columns_of_bytes()) - moved == NOT_SEALED
    assert moved.isdisjoint(NOT_SEALED)


def test_every_column_that_is_moved_is_there() -> None:
    for kind in SEALED_KINDS:
        for column in kind.columns:
            model, _, name = column.rpartition(".")
            assert apps.get_model(model)._meta.get_field(name)


def test_every_file_that_seals_has_kinds_that_move() -> None:
    seals = {
        source.name
        for source in product()
        if source.name != "consumers/vault.py"
        for call in calls(source)
        if isinstance(call.func, ast.Name) and call.func.id in {"seal", "seal_text"}
    }
    assert seals == set(SEALS)
    assert set().union(*SEALS.values()) == {kind.name for kind in SEALED_KINDS}


def test_kinds_have_names_of_their_own() -> None:
    names = [kind.name for kind in SEALED_KINDS]
    assert len(names) == len(set(names))
