"""Who did what, when, from where, to which object: the one way to write the audit trail.

Both apps record here, so it stands in the lower one. Operations record what they do, in the
transaction that does it; interfaces record what no operation does (a page that was looked at, a
sign-in, a refusal). Entries are linked into the chain by `payouts.operations.link_audit`, later and
in order: nothing here waits for anything.
"""

from consumers.audit.acts import Act, Result, Subject, Verb
from consumers.audit.trail import audited, changed_fields, record_act, record_acts, subject_of
from consumers.audit.visitors import Visitor, acting_as, current_visitor

__all__ = [
    "Act",
    "Result",
    "Subject",
    "Verb",
    "Visitor",
    "acting_as",
    "audited",
    "changed_fields",
    "current_visitor",
    "record_act",
    "record_acts",
    "subject_of",
]
