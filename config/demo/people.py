"""The demo's consumers and their cards: test numbers and made-up people."""

from consumers.models import Consumer, Partner, PaymentCard


def demo_card(partner: Partner) -> PaymentCard:
    from consumers.cards import Pan
    from consumers.ids import new_id
    from consumers.vault import fingerprint, key_ring_from_settings, seal

    c, _ = Consumer.objects.get_or_create(
        partner=partner, pcid="demo-ada", defaults=dict(first_name="Ada", last_name="Example")
    )
    if card := c.cards.first():
        return card
    pan, ring, card_id = Pan("4111111111111111"), key_ring_from_settings(), new_id()
    sealed = seal(pan, card_id=card_id, partner_id=partner.id, ring=ring)
    f = fingerprint(pan, partner_id=partner.id, ring=ring)
    return PaymentCard.objects.create(
        id=card_id,
        partner_id=partner.id,
        consumer=c,
        kek_id=sealed.kek_id,
        wrapped_key=sealed.wrapped_key,
        ciphertext=sealed.ciphertext,
        fingerprint_key_id=f.key_id,
        fingerprint=f.digest,
        bin=pan.bin,
        last4=pan.last4,
        network=pan.network,
        expiration_month=12,
        expiration_year=2039,
    )
