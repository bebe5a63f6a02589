"""The sandbox card network: an HTTP server with a book of its own, apart from the product.

Takes up, carries out, answers and spoils instructions; the tables of who gets what are in
`behaviour`, the shape of answers in `answers`, the book in `book`, the sockets in `wire`. An
instruction that was taken up is finished whatever happens to the client's connection, and after a
kill it is finished at the next start.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from payouts.networks.sandbox import answers, arrivals, behaviour, teller
from payouts.networks.sandbox.arrivals import Arrival, MalformedMessage
from payouts.networks.sandbox.behaviour import Fault, Plan, Switches
from payouts.networks.sandbox.book import Book
from payouts.networks.sandbox.entries import Entry, Order, Standing, card_token
from payouts.networks.sandbox.settlement_desk import SettlementDesk
from payouts.networks.sandbox.statement_desk import StatementDesk
from payouts.networks.sandbox.teller import Teller
from payouts.networks.sandbox.telling import told_at_once, told_when_decided
from payouts.networks.sandbox.wire import Answer, Listener, Reply, Request

PUSH_PATH = "/visadirect/fundstransfer/v1/pushfundstransactions"
QUERY_PATH = "/visadirect/v1/transactionquery"
CARD_PATH = "/paai/fundstransferattinq/v1/cardattributes/fundstransferinquiry"

_STATUS_VALID = timedelta(hours=24)
_OVER_LIMIT_SECONDS = 1.0
_DELAY_SECONDS = {Fault.SLOW_2S: 2.0, Fault.SLOW_10S: 10.0}
_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_PAGE_DEFAULT = 500
# The answer to the control call goes out before its own connection is reset.
_CONTROL_ANSWER_SECONDS = 0.05

Route = Callable[[Request], Awaitable[Reply]]


class SandboxServer:
    """One sandbox network on one address with one book."""

    def __init__(
        self,
        book: Book,
        switches: Switches,
        *,
        host: str,
        port: int,
        listener: teller.Listener | None = None,
    ) -> None:
        self._book = book
        self._teller = None if listener is None else Teller(book, listener)
        self._telling: asyncio.Task[None] | None = None
        self._switches = switches
        self._running: set[asyncio.Task[Entry]] = set()
        self._reopening: asyncio.Task[None] | None = None
        self._listener = Listener(self._respond, host=host, port=port)
        desk = SettlementDesk(book)
        self._routes: dict[tuple[str, str], Route] = {
            ("POST", PUSH_PATH): self._push,
            ("GET", QUERY_PATH): self._query,
            ("POST", CARD_PATH): self._card,
            ("GET", "/book"): self._page,
            ("GET", "/book/totals"): self._totals,
            ("GET", "/settlement"): desk.file,
            ("GET", "/settlement/planted"): desk.planted,
            ("GET", "/statement"): StatementDesk(desk).file,
            ("GET", "/control"): self._control,
            ("POST", "/control"): self._control,
            ("GET", "/healthz"): self._healthz,
        }

    @property
    def address(self) -> str:
        return self._listener.address

    async def open(self) -> None:
        """Finish what an earlier process had taken up, then accept connections."""
        for entry in await self._book.running():
            await self._decide(entry)
        await self._listener.open()
        if self._teller is not None:
            self._telling = asyncio.get_running_loop().create_task(self._teller.run())

    def close(self) -> None:
        """Stop at once, as if killed; what was running is finished at the next start."""
        self._listener.close()
        if self._telling is not None:
            self._telling.cancel()
        for task in self._running:
            task.cancel()

    async def _respond(self, request: Request) -> Reply:
        route = self._routes.get((request.method, request.path))
        if route is None and request.method == "GET" and request.path.startswith(f"{PUSH_PATH}/"):
            route = self._status
        if route is None:
            return answers.refused("no_such_resource", status=404)
        try:
            return await route(request)
        except MalformedMessage as problem:
            return answers.refused("invalid_request", status=400, names=problem.names)

    async def _push(self, request: Request) -> Reply:
        arrival = arrivals.read_instruction(request.body)
        switches = self._switches
        plan = behaviour.plan_for(
            arrival.number,
            amount_cents=arrival.amount_cents,
            identity=arrival.identity,
            switches=switches,
        )
        receipt = await self._book.receive(_order(arrival, plan))
        if receipt.standing is Standing.OTHER_CONTENT:
            return answers.duplicate(arrival.identity)
        if receipt.standing is Standing.RUNNING:
            return answers.still_running(receipt.entry)
        if receipt.standing is Standing.DECIDED:
            return answers.decided(receipt.entry)
        if receipt.standing is Standing.TAKEN_UP:
            return await self._carry_out(receipt.entry, fault=None, switches=switches)
        return await self._carry_out(receipt.entry, fault=plan.fault, switches=switches)

    async def _carry_out(self, entry: Entry, *, fault: Fault | None, switches: Switches) -> Reply:
        latency = switches.latency_ms / 1000
        if fault in behaviour.DROPPING_FAULTS:
            await asyncio.sleep(latency)
            return answers.spoiled(entry, fault)
        if self._teller is not None and (tellings := told_at_once(fault)):
            await self._book.tell(entry.id, tellings)
        limit = latency if fault in behaviour.LATE_FAULTS else switches.limit_ms / 1000
        deciding = self._decide_after(_delay_seconds(fault, switches), entry)
        done, _ = await asyncio.wait({deciding}, timeout=limit)
        if not done:
            return answers.in_progress(entry)
        return answers.spoiled(deciding.result(), fault)

    def _decide_after(self, seconds: float, entry: Entry) -> "asyncio.Task[Entry]":
        async def decide() -> Entry:
            await asyncio.sleep(seconds)
            return await self._decide(entry)

        # A task of its own: the instruction is carried out even if its client goes away.
        task = asyncio.get_running_loop().create_task(decide())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _decide(self, entry: Entry) -> Entry:
        tellings = () if self._teller is None else told_when_decided(entry, self._switches)
        return await self._book.decide(entry.id, code=entry.planned_code, tellings=tellings)

    async def _status(self, request: Request) -> Reply:
        identifier = request.path.removeprefix(f"{PUSH_PATH}/")
        entry = await self._book.by_status_identifier(identifier)
        if entry is None or entry.state == "dropped" or _is_past(entry):
            return answers.refused("status_not_found", status=404)
        return answers.in_progress(entry) if entry.code is None else answers.inquired(entry)

    async def _query(self, request: Request) -> Reply:
        missing = tuple(n for n in ("acquiringBIN", "stan", "rrn") if not request.query.get(n))
        if missing:
            raise MalformedMessage(*missing)
        entry = await self._book.inquire(request.query)
        return answers.not_found(request.query) if entry is None else answers.inquired(entry)

    async def _card(self, request: Request) -> Reply:
        answer = behaviour.card_answer_for(arrivals.read_card_number(request.body))
        if answer is None:
            return answers.refused("unavailable", status=503)
        return answers.card_attributes(answer)

    async def _page(self, request: Request) -> Reply:
        after = _number(request, "after", default=0)
        entries = await self._book.page(
            after=after, limit=_number(request, "limit", default=_PAGE_DEFAULT)
        )
        page: dict[str, object] = {
            "instructions": [asdict(entry) for entry in entries],
            "next_after": entries[-1].id if entries else None,
        }
        if after == 0:
            # They count the whole book: on every page, reading it would take the square of that.
            page["totals"] = await self._book.totals()
        return answers.as_json(page)

    async def _totals(self, request: Request) -> Reply:
        return answers.as_json(await self._book.totals())

    async def _healthz(self, request: Request) -> Reply:
        return answers.as_json({"status": "ok"})

    async def _control(self, request: Request) -> Reply:
        if request.peer not in _LOOPBACK:
            return answers.refused("loopback_only", status=403)
        changes = arrivals.read_object(request.body) if request.method == "POST" else {}
        refuse_ms = changes.pop("refuse_ms", 0)
        try:
            self._switches = self._switches.with_changes(changes)
        except ValueError as problem:
            raise MalformedMessage(str(problem)) from None
        if isinstance(refuse_ms, int) and refuse_ms > 0:
            self._refuse(refuse_ms / 1000)
        return _shown(self._switches)

    def _refuse(self, seconds: float) -> None:
        async def reopen() -> None:
            await asyncio.sleep(_CONTROL_ANSWER_SECONDS)
            self._listener.close()
            await asyncio.sleep(seconds)
            await self._listener.open()

        self._reopening = asyncio.get_running_loop().create_task(reopen())


def _order(arrival: Arrival, plan: Plan) -> Order:
    return Order(
        identity=arrival.identity,
        card_token=card_token(arrival.number),
        card_last4=arrival.number[-4:],
        amount_cents=arrival.amount_cents,
        currency=arrival.currency,
        planned_code=plan.code,
        fault=plan.fault.name.lower() if plan.fault is not None else None,
        is_dropped=plan.is_dropped,
        hidden_inquiries=plan.hidden_inquiries,
    )


def _delay_seconds(fault: Fault | None, switches: Switches) -> float:
    latency = switches.latency_ms / 1000
    if fault in behaviour.LATE_FAULTS:
        return latency + switches.late_ms / 1000
    if fault is Fault.OVER_LIMIT:
        return switches.limit_ms / 1000 + _OVER_LIMIT_SECONDS
    return latency + _DELAY_SECONDS.get(fault, 0.0) if fault is not None else latency


def _is_past(entry: Entry) -> bool:
    return datetime.now(UTC) - datetime.fromisoformat(entry.received_at) > _STATUS_VALID


def _number(request: Request, name: str, *, default: int) -> int:
    value = request.query.get(name)
    if value is None:
        return default
    if not value.isdecimal() or len(value) > 18:
        raise MalformedMessage(name)
    return int(value)


def _shown(switches: Switches) -> Answer:
    shown = asdict(switches)
    shown["mix"] = [fault.name.lower() for fault in switches.mix]
    return answers.as_json(shown)
