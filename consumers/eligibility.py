"""Who asks the card networks for this app, which does not know them. Named in the settings."""

from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from consumers.operations.cards import EligibilitySource


def eligibility_source() -> EligibilitySource:
    """Whoever asks the networks; payouts does, and this app does not know payouts."""
    return cast(EligibilitySource, import_string(settings.CARD_ELIGIBILITY_SOURCE))
