"""How long ago something was, in the words of the back office's pages."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.timesince import timesince, timeuntil

register = template.Library()


@register.filter
def ago(at: datetime) -> str:
    """`3 hours ago`; within the last minute `just now`."""
    now = timezone.now()
    return "just now" if now - at < timedelta(minutes=1) else f"{timesince(at, now)} ago"


@register.filter
def until(at: datetime) -> str:
    """`3 hours`; what comes within a minute, or is due already, is `less than a minute` away."""
    now = timezone.now()
    return "less than a minute" if at - now < timedelta(minutes=1) else timeuntil(at, now)


@register.filter
def age(at: datetime) -> str:
    """`3 hours` since; `less than a minute` in its first."""
    now = timezone.now()
    return "less than a minute" if now - at < timedelta(minutes=1) else timesince(at, now)
