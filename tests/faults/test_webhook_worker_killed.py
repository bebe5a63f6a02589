"""The worker is killed while it tells partners: everything arrives, under the same ids."""

import time
from pathlib import Path

import pytest

from payouts.models import Delivery
from tests.payouts.webhooks.cast import make_deliveries, make_due, make_webhook
from tests.payouts.webhooks.receiver import Received, Reply, receiver
from tests.worker import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

NUMBER = 30
SECONDS = 60


def _until_received(worker: Worker, received: list[Received], number: int) -> None:
    deadline = time.monotonic() + SECONDS
    while len(received) < number:
        assert time.monotonic() < deadline
        worker.ring()
        time.sleep(0.05)


def test_a_killed_worker_loses_no_delivery(tmp_path: Path) -> None:
    def slowly(_: Received) -> Reply:
        time.sleep(0.2)
        return Reply()

    worker = Worker(tmp_path, sandbox="http://127.0.0.1:9", tasks=("payouts.deliver_webhooks",))
    with receiver(slowly) as place:
        deliveries = make_deliveries(make_webhook(url=place.url), number=NUMBER)
        try:
            worker.start()
            # Twenty at once are on their way, and of none is it known how it went.
            _until_received(worker, place.received, 5)
            worker.kill()
            left = Delivery.objects.exclude(state="delivered").count()
            # The leases of the dead one end after half a minute; here at once.
            make_due()
            worker.start()
            deadline = time.monotonic() + SECONDS
            while Delivery.objects.exclude(state="delivered").exists():
                assert time.monotonic() < deadline
                worker.ring()
                time.sleep(0.05)
        finally:
            worker.kill()
    assert left
    assert len(place.ids) > len(set(place.ids)) == len(deliveries)
