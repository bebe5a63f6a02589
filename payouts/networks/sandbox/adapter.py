"""Speaks to the sandbox network over HTTP for the sender: the network of the demo and the tests.

Here is how a message travels and what a broken journey means; what an answer means is in
`reading`. Nothing is ever sent twice by this module: no retries, no redirects. What was sent on a
kept-alive connection that then turns out to be closed may have arrived, so it is unknown; only a
connection that was never established proves that nothing left.
"""

import asyncio
import logging
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from weakref import WeakKeyDictionary

import httpx

from payouts.networks.base import (
    Eligibility,
    EligibilityUnknown,
    Finding,
    NetworkIdentity,
    NotFound,
    NotSent,
    NotSentReason,
    Outcome,
    Push,
    SettlementUnavailable,
    Unknown,
    UnknownReason,
)
from payouts.networks.sandbox import reading
from payouts.networks.sandbox.reading import Duplicate, WireAnswer

_log = logging.getLogger(__name__)

_PUSH_PATH = "/visadirect/fundstransfer/v1/pushfundstransactions"
_QUERY_PATH = "/visadirect/v1/transactionquery"
_CARD_PATH = "/paai/fundstransferattinq/v1/cardattributes/fundstransferinquiry"

_ANSWER_LIMIT_BYTES = 64 * 1024
# Shorter than any server keeps an idle connection, so that few pushes meet one that is closing.
_KEEPALIVE_SECONDS = 15
_WHOLE_OVER_READ_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the adapter waits, in seconds.

    `read` is for the next piece of an answer and lies above the network's own limit of 30 s, after
    which it answers 202. `whole` bounds everything, since an answer may trickle for ever.
    """

    read: float
    whole: float
    connect: float = 5.0
    # A request of the API waits for this one.
    card_check: float = 4.0

    @classmethod
    def reading(cls, seconds: float) -> "Patience":
        """Wait this long for an answer, and for all of it a little longer."""
        return cls(read=seconds, whole=seconds + _WHOLE_OVER_READ_SECONDS)


class SandboxNetwork:
    """The sandbox as a `CardNetwork`. One instance per process; safe in many threads and loops.

    Each running event loop has lanes: clients of one connection each, taken for one call and given
    back, as many as there ever were calls at once, closed by `aclose()` in that loop. Why not one
    client for all: httpx's pool looks at every pair of idle connections before each request, which
    with a hundred of them costs 30 ms of CPU a push; a lane costs the same however many there are.
    """

    name = "sandbox"

    def __init__(self, address: str, *, patience: Patience) -> None:
        self._address = address
        self._patience = patience
        self._lock = threading.Lock()
        self._lanes: WeakKeyDictionary[asyncio.AbstractEventLoop, list[httpx.AsyncClient]]
        self._lanes = WeakKeyDictionary()
        self._card_client: httpx.Client | None = None

    async def push(self, push: Push) -> Outcome:
        """Send one instruction; see `CardNetwork.push`."""
        message = _push_message(push, sent_at=datetime.now(UTC))
        try:
            answer = await self._call("POST", _PUSH_PATH, json=message)
        except _Unsent as fact:
            return NotSent(fact.why)
        except _Unclear as fact:
            return fact.unknown
        outcome = reading.read_push(answer, push.identity)
        if isinstance(outcome, Duplicate):
            return await self._original_of(push, outcome)
        return outcome

    async def inquire(
        self, identity: NetworkIdentity, *, status_identifier: str | None = None
    ) -> Finding:
        """Ask what became of an instruction; see `CardNetwork.inquire`."""
        try:
            if status_identifier is not None:
                answer = await self._call("GET", f"{_PUSH_PATH}/{status_identifier}")
                # The identifier is forgotten after a day; the identity is not.
                if answer.status != httpx.codes.NOT_FOUND:
                    return reading.read_inquiry(answer, identity)
            return reading.read_inquiry(await self._query(identity), identity)
        except _Unsent:
            return Unknown(UnknownReason.UNREACHABLE)
        except _Unclear as fact:
            return fact.unknown

    def check_card(
        self, number: str, *, expiration_month: int, expiration_year: int
    ) -> Eligibility:
        """Ask whether a card can receive a push; see `CardNetwork.check_card`."""
        message = {
            "primaryAccountNumber": number,
            "cardExpiryDate": f"{expiration_year:04d}-{expiration_month:02d}",
        }
        began = time.monotonic()
        try:
            response = self._shared_card_client().post(_CARD_PATH, json=message)
        except httpx.HTTPError as problem:
            raise EligibilityUnknown(type(problem).__name__) from None
        return reading.read_card(_wire_answer(response.status_code, response.content, began))

    def settlement_file(
        self, day: date, *, acquiring_bin: str, card_acceptor_id: str, largest_bytes: int
    ) -> bytes:
        """Fetch the network's file of a day (UTC) that is over. Blocks for minutes if it is large.

        :raises SettlementUnavailable: there is none, it is too large, or the journey broke: half a
            file is none.
        """
        whose = {"acquiringBIN": acquiring_bin, "idCode": card_acceptor_id}
        content = bytearray()
        try:
            with (
                self._new_reader() as reader,
                reader.stream("GET", "/settlement", params={"day": f"{day}", **whose}) as answer,
            ):
                if answer.status_code != httpx.codes.OK:
                    raise SettlementUnavailable(f"status {answer.status_code}")
                for piece in answer.iter_bytes():
                    content += piece
                    if len(content) > largest_bytes:
                        raise SettlementUnavailable("too large")
        except (httpx.HTTPError, OSError) as problem:
            raise SettlementUnavailable(type(problem).__name__) from None
        return bytes(content)

    def _new_reader(self) -> httpx.Client:
        return httpx.Client(
            base_url=self._address,
            timeout=httpx.Timeout(self._patience.read, connect=self._patience.connect),
            verify=_tls(),
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close the connections of the running loop; what other threads are doing goes on."""
        with self._lock:
            lanes = self._lanes.pop(asyncio.get_running_loop(), [])
        for lane in lanes:
            await lane.aclose()

    def close_card_checks(self) -> None:
        """Close the connections of card checks, of which none may be under way."""
        with self._lock:
            card_client, self._card_client = self._card_client, None
        if card_client is not None:
            card_client.close()

    async def _original_of(self, push: Push, duplicate: Duplicate) -> Outcome:
        """What became of the instruction that the network already has under this identity."""
        unresolved = Unknown(UnknownReason.UNRESOLVED_DUPLICATE, raw=duplicate.raw)
        try:
            answer = await self._query(push.identity)
        except (_Unsent, _Unclear):
            return unresolved
        finding = reading.read_inquiry(answer, push.identity)
        if isinstance(finding, NotFound):
            return unresolved
        if isinstance(finding, Unknown):
            return finding
        if not reading.concerns(answer, amount=push.amount, last4=push.number[-4:]):
            return Unknown(UnknownReason.IDENTITY_MISMATCH, raw=finding.raw)
        return finding

    async def _query(self, identity: NetworkIdentity) -> WireAnswer:
        return await self._call(
            "GET",
            _QUERY_PATH,
            params={
                "acquiringBIN": identity.acquiring_bin,
                "stan": identity.systems_trace_audit_number,
                "rrn": identity.retrieval_reference_number,
                "idCode": identity.card_acceptor_id,
                "terminalId": identity.terminal_id,
            },
        )

    async def _call(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, object] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> WireAnswer:
        """One request, once. Raises _Unsent if provably no byte left, else _Unclear."""
        lanes = self._lanes_of_this_loop()
        lane = lanes.pop() if lanes else self._new_lane()
        request = lane.build_request(method, path, json=json, params=params)
        try:
            async with asyncio.timeout(self._patience.whole):
                return await _exchange(lane, request)
        except (httpx.ConnectError, httpx.UnsupportedProtocol):
            raise _Unsent(NotSentReason.CONNECTION_FAILED) from None
        except httpx.ConnectTimeout:
            raise _Unsent(NotSentReason.CONNECT_TIMEOUT) from None
        except (httpx.TimeoutException, TimeoutError) as problem:
            raise _Unclear(UnknownReason.TIMEOUT, problem) from None
        except (httpx.HTTPError, OSError) as problem:
            raise _Unclear(UnknownReason.CONNECTION_LOST, problem) from None
        except _AnswerTooLong as problem:
            raise _Unclear(UnknownReason.UNREADABLE_ANSWER, problem) from None
        except Exception as problem:
            # An unforeseen error after the first byte is as unclear as a timeout.
            _log.exception("a call to the card network failed in an unforeseen way")
            raise _Unclear(UnknownReason.INTERNAL_ERROR, problem) from None
        finally:
            lanes.append(lane)

    def _lanes_of_this_loop(self) -> list[httpx.AsyncClient]:
        with self._lock:
            return self._lanes.setdefault(asyncio.get_running_loop(), [])

    def _new_lane(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self._address,
            timeout=httpx.Timeout(self._patience.read, connect=self._patience.connect, pool=None),
            limits=httpx.Limits(
                max_connections=1,
                max_keepalive_connections=1,
                keepalive_expiry=_KEEPALIVE_SECONDS,
            ),
            verify=_tls(),
            follow_redirects=False,
            # A proxy from the environment would see card numbers and blur what was sent.
            trust_env=False,
        )

    def _shared_card_client(self) -> httpx.Client:
        with self._lock:
            if self._card_client is None:
                self._card_client = httpx.Client(
                    base_url=self._address,
                    timeout=httpx.Timeout(
                        self._patience.card_check, connect=self._patience.connect
                    ),
                    verify=_tls(),
                    follow_redirects=False,
                    trust_env=False,
                )
            return self._card_client


class _Unsent(Exception):
    def __init__(self, why: NotSentReason) -> None:
        self.why = why


class _Unclear(Exception):
    def __init__(self, why: UnknownReason, problem: Exception) -> None:
        # Only the kind of the problem: its text may hold what was sent.
        self.unknown = Unknown(why, raw={"problem": type(problem).__name__})


class _AnswerTooLong(Exception):
    """The answer does not end where any answer of this network would."""


@cache
def _tls() -> ssl.SSLContext:
    # Reading the certificates takes longer than a push, so all clients share one context.
    return httpx.create_ssl_context(trust_env=False)


async def _exchange(client: httpx.AsyncClient, request: httpx.Request) -> WireAnswer:
    began = time.monotonic()
    response = await client.send(request, stream=True)
    try:
        body = bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > _ANSWER_LIMIT_BYTES:
                raise _AnswerTooLong
    finally:
        await response.aclose()
    return _wire_answer(response.status_code, bytes(body), began)


def _wire_answer(status: int, body: bytes, began: float) -> WireAnswer:
    return WireAnswer(status, body, elapsed_ms=round((time.monotonic() - began) * 1000))


def _push_message(push: Push, *, sent_at: datetime) -> dict[str, object]:
    identity = push.identity
    return {
        "acquiringBin": identity.acquiring_bin,
        "systemsTraceAuditNumber": identity.systems_trace_audit_number,
        "retrievalReferenceNumber": identity.retrieval_reference_number,
        "localTransactionDateTime": sent_at.strftime("%Y-%m-%dT%H:%M:%S"),
        "recipientPrimaryAccountNumber": push.number,
        "recipientCardExpiryDate": f"{push.expiration_year:04d}-{push.expiration_month:02d}",
        "recipientName": push.recipient_name,
        "amount": f"{push.amount:.2f}",
        "transactionCurrencyCode": push.currency,
        "businessApplicationId": "FD",
        "purposeOfPayment": push.description,
        "cardAcceptor": {
            "idCode": identity.card_acceptor_id,
            "terminalId": identity.terminal_id,
        },
    }
