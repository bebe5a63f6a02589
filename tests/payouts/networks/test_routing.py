import pytest
from pytest_django.fixtures import Settings

from payouts.networks.routing import NoNetworkForCard, identity_for, network_for
from tests.payouts.networks.cast import AT


@pytest.fixture(autouse=True)
def _network(settings: Settings) -> None:
    settings.CARD_NETWORK_SANDBOX_URL = "http://127.0.0.1:1"
    settings.ACQUIRING_BIN = "400171"
    settings.CARD_ACCEPTOR_ID = "EXAMPLE"


def test_shares_one_network_among_all_cards() -> None:
    assert network_for("visa") is network_for("mastercard")
    assert network_for("visa").name == "sandbox"


def test_follows_the_setting(settings: Settings) -> None:
    before = network_for("visa")
    settings.CARD_NETWORK_SANDBOX_URL = "http://127.0.0.1:2"
    assert network_for("visa") is not before


@pytest.mark.parametrize("card_network", ["amex", "", "VISA"])
def test_refuses_a_card_that_no_network_carries(card_network: str) -> None:
    with pytest.raises(NoNetworkForCard):
        network_for(card_network)


def test_gives_identities_under_our_own_names() -> None:
    identity = identity_for(42, at=AT)
    assert (identity.acquiring_bin, identity.card_acceptor_id) == ("400171", "EXAMPLE")
    assert identity.systems_trace_audit_number == "000042"
