"""How long we wait for whom, from the settings. A demo and a test of faults shorten these."""

from datetime import timedelta

from django.conf import settings


def sender_lost_after() -> timedelta:
    """After this a sender that has said nothing is taken for dead, and its payment for unknown.

    Longer than any call to a network can take. Too short costs inquiries, never money.
    """
    return timedelta(seconds=settings.SENDER_LOST_SECONDS)


def inquiry_pause(*, times_inquired: int) -> timedelta:
    """The pause before the next inquiry about a payment that was asked about so many times.

    By default the inquiries come 40 s (Mastercard Send asks for it), 2 min, 10 min, 1 h and 6 h
    after the answer was lost, then daily.
    """
    pauses = settings.INQUIRY_PAUSES_SECONDS
    return timedelta(seconds=pauses[min(times_inquired, len(pauses) - 1)])


def network_visibility() -> timedelta:
    """How long a network may not show an instruction that it has received."""
    return timedelta(seconds=settings.NETWORK_VISIBILITY_SECONDS)
