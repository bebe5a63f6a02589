"""How long ago something was, in the words of the back office's pages."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.timesince import timesince

register = template.Library()


@register.filter
def ago(at: datetime) -> str:
    """`3 hours ago`; within the last minute `just now`."""
    now = timezone.now()
    return "just now" if now - at < timedelta(minutes=1) else f"{timesince(at, now)} ago"
