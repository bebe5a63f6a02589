from datetime import timedelta
from itertools import accumulate

from pytest_django import Settings

from payouts.networks.sandbox.adapter import Patience
from payouts.operations.waits import inquiry_pause, network_visibility, sender_lost_after


def test_asks_at_the_instants_of_the_design() -> None:
    pauses = [inquiry_pause(times_inquired=times) for times in range(7)]
    assert list(accumulate(pauses)) == [
        timedelta(seconds=40),
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(hours=1),
        timedelta(hours=6),
        timedelta(hours=30),
        timedelta(hours=54),
    ]


def test_the_last_pause_comes_again_and_again(settings: Settings) -> None:
    settings.INQUIRY_PAUSES_SECONDS = [1, 2]
    assert inquiry_pause(times_inquired=0) == timedelta(seconds=1)
    assert inquiry_pause(times_inquired=99) == timedelta(seconds=2)


def test_a_sender_is_not_given_up_while_its_call_may_still_run(settings: Settings) -> None:
    patience = Patience.reading(settings.CARD_NETWORK_READ_SECONDS)
    assert sender_lost_after() > timedelta(seconds=patience.whole + patience.connect)


def test_a_network_may_hide_what_it_has_for_nine_minutes() -> None:
    assert network_visibility() == timedelta(minutes=9)


def test_the_third_inquiry_is_late_enough_to_send_again() -> None:
    apart = inquiry_pause(times_inquired=1) + inquiry_pause(times_inquired=2)
    assert apart > network_visibility()
