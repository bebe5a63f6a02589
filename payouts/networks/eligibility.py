"""Answers consumers' question whether a card can be pushed to, by asking the card's network.

Consumers knows no networks; `CARD_ELIGIBILITY_SOURCE` in the settings names `eligibility_of`.
"""

import logging

from consumers.models import PaymentCard
from consumers.operations.cards import CardEligibility, EligibilityUnavailable
from consumers.vault import CardKeyMissing, SealedCard, key_ring_from_settings, unseal
from payouts.networks.base import EligibilityUnknown
from payouts.networks.routing import NoNetworkForCard, network_for

logger = logging.getLogger(__name__)


def eligibility_of(card: PaymentCard) -> CardEligibility:
    """Ask the card's network, which may take seconds: call it outside of any transaction.

    A card of a kind that no network of ours carries is not eligible, without anybody being asked.

    :raises EligibilityUnavailable: the network could not say, or could not be asked because this
        process lacks the card's key. Nothing was changed anywhere.
    :raises CardUnreadable: the sealed number does not open.
    """
    try:
        network = network_for(card.network)
    except NoNetworkForCard:
        return CardEligibility(eligible=False, speed="not_supported")
    sealed = SealedCard(card.kek_id, bytes(card.wrapped_key), bytes(card.ciphertext))
    ring = key_ring_from_settings()
    try:
        pan = unseal(sealed, card_id=card.pk, partner_id=card.partner_id, ring=ring)
    except CardKeyMissing:
        logger.critical("CARD_ENCRYPTION_KEYS lacks %r, which a card check needs.", card.kek_id)
        raise EligibilityUnavailable("The card's key is not here.") from None
    try:
        answer = network.check_card(
            pan.reveal(),
            expiration_month=card.expiration_month,
            expiration_year=card.expiration_year,
        )
    except EligibilityUnknown:
        raise EligibilityUnavailable("The network could not say.") from None
    return CardEligibility(answer.eligible, answer.speed, answer.card_type or "")
