"""What the product keeps about payments and money. Rows and constraints only; no rules here."""

from payouts.models.approvals import (
    ApprovalRequirement,
    ApprovalRule,
    Decision,
    DecisionSignature,
)
from payouts.models.audit import AuditBlock
from payouts.models.bank import (
    BankEntry,
    BankStatement,
    SettledAtBank,
    StatementContent,
    StatementFile,
)
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
from payouts.models.brought_files import (
    AT_WORK,
    BEING_JUDGED,
    COUNTED_STATES,
    BroughtFile,
    FileState,
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
    SettlementFile,
    SettlementFinding,
    SettlementLine,
    SettlementPiece,
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
    "AT_WORK",
    "BEING_JUDGED",
    "COUNTED_STATES",
    "Account",
    "AccountKind",
    "AccountPart",
    "ApprovalRequirement",
    "ApprovalRule",
    "Attempt",
    "AuditBlock",
    "BankEntry",
    "BankStatement",
    "Batch",
    "BatchFile",
    "BatchOrder",
    "BatchRow",
    "BatchState",
    "BatchTally",
    "BroughtFile",
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
    "FileState",
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
    "SettledAtBank",
    "SettlementFile",
    "SettlementFinding",
    "SettlementLine",
    "SettlementPiece",
    "SignInTries",
    "StaffSession",
    "StatementContent",
    "StatementFile",
    "UsedCode",
    "WebhookEndpoint",
]
