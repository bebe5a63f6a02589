"""How an act in the audit trail ended, for templates."""

from django import template

from consumers.audit import Result
from consumers.models import AuditEntry

register = template.Library()


@register.filter
def failing(entry: AuditEntry) -> str:
    """`refused` or `failed`; empty if what was asked for was done."""
    return "" if entry.result == Result.DONE else entry.result
