"""How fast accepted payments become completed, while the card network takes half a second."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import psycopg

from tests.bench.load import Load, Sample, measured
from tests.bench.product import Product

NETWORK_MS: Final = 500
_DEMO_NETWORK_MS: Final = 50
_POLL_SECONDS: Final = 0.1
_LONGEST_SECONDS: Final = 120.0
_ALONE_SECONDS: Final = 2.0

# What other measurements have left behind stays accepted, and waits until they are long over.
_PUT_OFF: Final = """
UPDATE payouts_payment SET due_at = now() + interval '1 day' WHERE status = 'pending'
"""
_WAITING: Final = """
SELECT count(*) FROM payouts_payment
WHERE status IN ('pending', 'submitted') AND due_at < now() + interval '1 hour'
"""
_NEWEST: Final = "SELECT id FROM payouts_payment ORDER BY id DESC LIMIT 1"
_COMPLETED: Final = "SELECT count(*) FROM payouts_payment WHERE status = 'completed' AND id > %s"
_OTHERS: Final = "SELECT count(*) FROM payouts_payment WHERE status <> 'completed' AND id > %s"
_ALONE: Final = """
SELECT extract(epoch FROM completed_at - created_at)::double precision * 1000
FROM payouts_payment WHERE status = 'completed' AND id > %s
"""


def completed(creates: Load, product: Product, *, seconds: int) -> Sample:
    """Let payments pile up for so many seconds, then let the worker send them all.

    What is still open after two minutes, or has ended in another way, counts as refused.
    """
    with _slow_network(product):
        with product.worker_resting():
            put_off(product)
            newest = _value(product, _NEWEST)
            measured(creates, product, connections=8, seconds=seconds)
        began = time.monotonic()
        while _value(product, _WAITING) and time.monotonic() - began < _LONGEST_SECONDS:
            time.sleep(_POLL_SECONDS)
        taken = time.monotonic() - began
    done = _value(product, _COMPLETED, newest)
    return Sample(per_second=done / taken, refused=_value(product, _OTHERS, newest))


def completed_alone(creates: Load, product: Product, *, times: int) -> list[float]:
    """Milliseconds from accepted to completed of single pushes, one after the other."""
    card = json.loads("{" + creates.lines.read_text().splitlines()[0] + "}")
    put_off(product)
    newest = _value(product, _NEWEST)
    with _slow_network(product):
        for _ in range(times):
            httpx.post(
                f"{product.address}/v2/payments/oct/",
                headers={
                    "Authorization": f"Bearer {creates.token}",
                    "Idempotency-Key": str(uuid.uuid4()),
                },
                json={**card, "amount": 45},
                trust_env=False,
            ).raise_for_status()
            time.sleep(_ALONE_SECONDS)
    with psycopg.connect(product.database_url) as connection:
        return [row[0] for row in connection.execute(_ALONE, [newest])]


def put_off(product: Product) -> None:
    """Let whatever waits to be sent wait until tomorrow."""
    with psycopg.connect(product.database_url) as connection:
        connection.execute(_PUT_OFF)


@contextmanager
def _slow_network(product: Product) -> Iterator[None]:
    _set_latency(product, NETWORK_MS)
    try:
        yield
    finally:
        _set_latency(product, _DEMO_NETWORK_MS)


def _set_latency(product: Product, milliseconds: int) -> None:
    httpx.post(
        f"{product.sandbox}/control", json={"latency_ms": milliseconds}, trust_env=False
    ).raise_for_status()


def _value(product: Product, statement: str, *parameters: Any) -> Any:
    with psycopg.connect(product.database_url) as connection:
        row = connection.execute(statement, parameters).fetchone()
    assert row is not None
    return row[0]
