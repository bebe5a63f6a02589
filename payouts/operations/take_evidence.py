"""Takes the evidence about one push: prints and files of it are exports, and leave an entry."""

from consumers.audit import Act, Verb, record_act
from payouts.evidence import Evidence, evidence_of
from payouts.models import Payment
from payouts.operations.payment_subject import payment_subject


def take_evidence(payment: Payment, *, kind: str, with_journals: bool) -> Evidence:
    """Return the evidence and record who took it, in which form, with its SHA-256.

    Taken twice it leaves two entries; the evidence is the same unless something has happened.
    """
    evidence = evidence_of(payment, with_journals=with_journals)
    told = {"as": kind, "sha256": evidence.sha256}
    record_act(Act(verb=Verb.EXPORT, subject=payment_subject(payment), after=told))
    return evidence
