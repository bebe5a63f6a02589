"""What the product keeps about payments and money. Rows and constraints only; no rules here."""

from payouts.models.approvals import (
    ApprovalRequirement,
    ApprovalRule,
    Decision,
    DecisionSignature,
)
from payouts.models.audit import AuditBlock
from payouts.models.batch import (
    Batch,
    BatchFile,
    BatchOrder,
    BatchRow,
    BatchState,
    BatchTally,
    OrderKind,
    RowState,
)
from payouts.models.changes import ChangeEvent, ChangeRequest
from payouts.models.doubts import Case, CaseKind, CaseState, EvidenceFile
from payouts.models.exports import (
    Export,
    ExportKind,
    ExportPiece,
    ExportState,
    PushListChoice,
    PushView,
)
from payouts.models.ledger import Account, AccountKind, AccountPart, Journal, JournalKind, Posting
from payouts.models.notifications import CameTo, Meaning, NetworkNotification
from payouts.models.payment import (
    Attempt,
    Event,
    EventKind,
    IdempotencyKey,
    Payment,
    PaymentTally,
)
from payouts.models.proofs import DayProof
from payouts.models.rollups import PartnerRollup, PushRollup, RollupCursor
from payouts.models.settlements import (
    COUNTED_STATES,
    SettlementFile,
    SettlementFinding,
    SettlementLine,
    SettlementPiece,
    SettlementState,
)
from payouts.models.sign_in import (
    FirstPassword,
    FormerPassword,
    SignInTries,
    StaffSession,
    UsedCode,
)
from payouts.models.terms import DailyUsage, FeeSchedule, Limit
from payouts.models.webhooks import (
    Delivery,
    DeliveryState,
    DisabledWhy,
    EndpointState,
    EventSource,
    OutboxCursor,
    OutboxEvent,
    WebhookEndpoint,
)

__all__ = [
    "COUNTED_STATES",
    "Account",
    "AccountKind",
    "AccountPart",
    "ApprovalRequirement",
    "ApprovalRule",
    "Attempt",
    "AuditBlock",
    "Batch",
    "BatchFile",
    "BatchOrder",
    "BatchRow",
    "BatchState",
    "BatchTally",
    "CameTo",
    "Case",
    "CaseKind",
    "CaseState",
    "ChangeEvent",
    "ChangeRequest",
    "DailyUsage",
    "DayProof",
    "Decision",
    "DecisionSignature",
    "Delivery",
    "DeliveryState",
    "DisabledWhy",
    "EndpointState",
    "Event",
    "EventKind",
    "EventSource",
    "EvidenceFile",
    "Export",
    "ExportKind",
    "ExportPiece",
    "ExportState",
    "FeeSchedule",
    "FirstPassword",
    "FormerPassword",
    "IdempotencyKey",
    "Journal",
    "JournalKind",
    "Limit",
    "Meaning",
    "NetworkNotification",
    "OrderKind",
    "OutboxCursor",
    "OutboxEvent",
    "PartnerRollup",
    "Payment",
    "PaymentTally",
    "Posting",
    "PushListChoice",
    "PushRollup",
    "PushView",
    "RollupCursor",
    "RowState",
    "SettlementFile",
    "SettlementFinding",
    "SettlementLine",
    "SettlementPiece",
    "SettlementState",
    "SignInTries",
    "StaffSession",
    "UsedCode",
    "WebhookEndpoint",
]
