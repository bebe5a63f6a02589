"""Times are shown in the zone of whoever looks, days are cut there, and addresses say which."""

from datetime import UTC, datetime

import pytest
from django.test import Client, RequestFactory

from consumers.admin.filters import chosen_period
from consumers.admin.zone import beginning_of, known_zone
from consumers.models import Consumer
from tests.back_office import browser
from tests.builders import make_consumer

LIST = "/admin/consumers/consumer/"


def viewer(zone: str) -> Client:
    client = browser("viewer")
    client.cookies["zone"] = zone
    return client


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("UTC", "2026-03-08", "2026-03-08T00:00"),
        ("America/New_York", "2026-03-08", "2026-03-08T05:00"),
        # Summer time began that night.
        ("America/New_York", "2026-03-09", "2026-03-09T04:00"),
        ("Asia/Kathmandu", "2026-03-08", "2026-03-07T18:15"),
    ],
)
def test_a_day_begins_where_the_viewer_is(zone: str, day: str, begins: str) -> None:
    instant = beginning_of(datetime.fromisoformat(day).date(), zone=zone)
    assert instant.strftime("%Y-%m-%dT%H:%M") == begins
    assert instant.tzinfo is UTC


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "UTC\0", "x" * 9999])
def test_a_name_that_is_no_zone_is_not_known(name: str) -> None:
    assert known_zone(name) is None


@pytest.mark.django_db
class TestPages:
    @pytest.fixture(autouse=True)
    def _consumer(self) -> None:
        at = datetime(2026, 3, 8, 3, 30, 5, tzinfo=UTC)
        make_consumer(pcid="person-1")
        Consumer.objects.update(created_at=at)

    def test_shows_the_viewers_time_and_utc_when_hovered(self) -> None:
        html = viewer("America/New_York").get(LIST).content.decode()
        assert "07 Mar 2026, 22:30" in html
        assert 'title="2026-03-08 03:30:05 UTC"' in html

    @pytest.mark.parametrize("zone", ["", "Mars/Olympus"])
    def test_shows_utc_to_a_browser_that_does_not_say(self, zone: str) -> None:
        assert "08 Mar 2026, 03:30" in viewer(zone).get(LIST).content.decode()

    def test_offers_days_of_the_viewers_zone(self) -> None:
        html = viewer("America/New_York").get(LIST).content.decode()
        assert "day (America/New York)" in html
        assert '<input type="hidden" name="zone" value="America/New_York"' in html

    def test_an_address_means_the_same_days_to_everybody(self) -> None:
        client = viewer("America/New_York")
        named = client.get(f"{LIST}?day_from=2026-03-07&zone=Asia/Tokyo")
        assert "day (Asia/Tokyo)" in named.content.decode()
        unnamed = client.get(f"{LIST}?day_from=2026-03-07")
        assert "day (UTC)" in unnamed.content.decode()

    def test_refuses_a_zone_that_is_not_known(self) -> None:
        answer = viewer("UTC").get(f"{LIST}?day_from=2026-03-07&zone=Mars")
        assert answer.headers["Location"] == f"{LIST}?e=1"


def test_days_are_cut_in_the_zone_that_the_address_names() -> None:
    query = {"day_from": "2026-03-08", "day_to": "2026-03-08", "zone": "America/New_York"}
    period = chosen_period(RequestFactory().get("/", query))
    assert period.first == datetime(2026, 3, 8, 5, tzinfo=UTC)
    assert period.end == datetime(2026, 3, 9, 4, tzinfo=UTC)
