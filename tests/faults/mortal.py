"""Kills the process that it runs in, once, at a named point around the send.

`DIE_AT` names the point and `DIE_ONCE` a file that says that it has happened. Run in the place of
Celery (`python -m tests.faults.mortal worker ...`) and imported by `tests/faults/mortal_web.py`.
"""

import asyncio
import importlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

# How long after the call to the network began its bytes have arrived, and the answer has not.
_BYTES_ARE_OUT_SECONDS: Final = 0.15


class Point(NamedTuple):
    """The process dies before or after this function is called, wherever it is called from."""

    module: str
    function: str
    when: Literal["before", "after"]


_SENDING: Final = "payouts.operations.send_payments"
_DRAIN: Final = "payouts.work.drain"

OF_WORKERS: Final[Mapping[str, Point]] = {
    "before the claim commits": Point(_SENDING, "_commit_attempts", "after"),
    "after the claim commits": Point(_DRAIN, "claim_due_payments", "after"),
    "after the bytes": Point(_DRAIN, "push", "before"),
    "after the answer": Point(_DRAIN, "push", "after"),
    "before the outcome commits": Point("payouts.operations.record_outcome", "_complete", "after"),
    "after the outcome commits": Point(_DRAIN, "record_outcome", "after"),
    "between inquiry and finding": Point(_DRAIN, "record_finding", "before"),
    "after the claim of a resend": Point(_DRAIN, "claim_resend", "after"),
}
OF_ORDERS: Final[Mapping[str, Point]] = {
    "before a part of an order commits": Point(
        "payouts.operations.batches.order_batch", "_go_on", "before"
    ),
    "between two parts of an order": Point("payouts.work.batch_work", "carry_out_next", "after"),
}
OF_WEB: Final[Mapping[str, Point]] = {
    "before the payment commits": Point("payouts.operations.request_payment", "_store", "before"),
    "after the payment commits": Point("payouts.operations.request_payment", "_store", "after"),
}


def arm() -> None:
    """Make this process die at the point that the environment names, unless somebody has."""
    name = os.environ.get("DIE_AT")
    if not name:
        return
    point = {**OF_WORKERS, **OF_ORDERS, **OF_WEB}[name]
    module = importlib.import_module(point.module)
    if point.function == "push":
        named = module.network_named
        module.network_named = lambda network: _Mortal(named(network), point.when)  # type: ignore[attr-defined]
    else:
        setattr(module, point.function, _mortal(getattr(module, point.function), point.when))


def _mortal(function: Callable[..., Any], when: str) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        if when == "before":
            _die_once()
        result = function(*arguments, **named)
        # What found nothing to do is not the point yet.
        if when == "after" and result:
            _die_once()
        return result

    return call


class _Mortal:
    """A network at whose push the process dies: with the bytes out, or with the answer in hand."""

    def __init__(self, network: Any, when: str) -> None:
        self._network = network
        self._when = when
        self.inquire = network.inquire

    async def push(self, push: Any) -> Any:
        sending = asyncio.ensure_future(self._network.push(push))
        if self._when == "before":
            await asyncio.sleep(_BYTES_ARE_OUT_SECONDS)
            _die_once()
        answer = await sending
        _die_once()
        return answer


def _die_once() -> None:
    try:
        Path(os.environ["DIE_ONCE"]).touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    import django

    django.setup()
    arm()
    from celery.__main__ import main as celery

    sys.argv[0] = "celery"
    celery()


if __name__ == "__main__":
    main()
