"""Bodies in chunks, without a Content-Length; bodies nobody has read; answers that are whole."""

import json
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from config import bodies
from config.bodies import ChunkedBodies, NothingUnread, WholeAnswers
from config.wsgi import application
from consumers.models import Consumer, PaymentCard
from payouts.models import Payment
from tests.builders import make_token
from tests.payouts.api.caller import CREATE, wish


def environ(content: bytes, **more: Any) -> dict[str, Any]:
    """What a server that takes chunks, such as granian, hands over."""
    made: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": CREATE,
        "CONTENT_TYPE": "application/json",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": BytesIO(content),
        "wsgi.input_terminated": True,
        **more,
    }
    setup_testing_defaults(made)
    return made


def seen(sent: dict[str, Any]) -> tuple[str | None, bytes]:
    """The length and the body that the application behind gets to see."""
    got: list[tuple[str | None, bytes]] = []

    def behind(environ: dict[str, Any], _: Any) -> list[bytes]:
        got.append((environ.get("CONTENT_LENGTH"), environ["wsgi.input"].read()))
        return []

    ChunkedBodies(behind)(sent, lambda *_: lambda _: None)
    return got[0]


def test_gives_a_chunked_body_its_length() -> None:
    assert seen(environ(b"some bytes")) == ("10", b"some bytes")


def test_chunks_that_break_off_before_anything_came_lack_a_byte() -> None:
    assert seen(environ(b"")) == ("1", b"")


def test_a_request_without_a_body_has_none() -> None:
    sent = environ(b"")
    del sent["HTTP_TRANSFER_ENCODING"]
    assert seen(sent) == ("0", b"")


def test_reads_no_more_than_is_refused_anyway() -> None:
    length, body = seen(environ(b"x" * 10_000_000))
    assert (length, len(body)) == ("65537", 65537)


@pytest.mark.parametrize(
    "more",
    [
        {"CONTENT_LENGTH": "3"},
        {"wsgi.input_terminated": False},
        {"REQUEST_METHOD": "GET"},
        {"PATH_INFO": "/admin/login/"},
    ],
)
def test_leaves_everything_else_as_it_is(more: dict[str, Any]) -> None:
    assert seen(environ(b"some bytes", **more)) == (more.get("CONTENT_LENGTH"), b"some bytes")


def unread(line: BytesIO, **more: Any) -> bytes:
    """What is still on the line when an application that reads nothing has answered."""
    NothingUnread(lambda *_: [])(environ(b"", **{"wsgi.input": line, **more}), lambda *_: print)
    return line.read()


def test_takes_what_nobody_has_read_off_the_line() -> None:
    assert unread(BytesIO(b"x" * 1_000_000)) == b""


def test_takes_no_more_off_the_line_than_anybody_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_DISCARDED_BYTES", 100_000)
    assert 0 < len(unread(BytesIO(b"x" * 1_000_000))) <= 900_000


@pytest.mark.parametrize(
    "more",
    [
        {"wsgi.input_terminated": False},
        {"REQUEST_METHOD": "GET"},
        {"HTTP_EXPECT": "100-continue"},
    ],
)
def test_waits_for_no_body_that_may_not_come(more: dict[str, Any]) -> None:
    assert unread(BytesIO(b"some bytes"), **more) == b"some bytes"


class Closable:
    """What belongs to an answer, such as an open file."""

    is_closed = False

    def close(self) -> None:
        self.is_closed = True


def handed_over(answer: HttpResponseBase, belonging: Closable) -> Any:
    """What the server gets for Django's answer."""
    answer._resource_closers.append(belonging.close)  # type: ignore[attr-defined]
    return WholeAnswers(lambda *_: answer)(environ(b""), lambda *_: print)


def test_hands_over_a_whole_answer_as_a_list_and_closes_it() -> None:
    belonging = Closable()
    assert handed_over(HttpResponse(b"all of it"), belonging) == [b"all of it"]
    assert belonging.is_closed


@pytest.mark.django_db
def test_the_server_gets_lists_from_the_product() -> None:
    sent = environ(b"", REQUEST_METHOD="GET", PATH_INFO="/healthz")
    assert isinstance(application(sent, lambda *_: print), list)


def test_leaves_a_stream_open_for_the_server_to_read() -> None:
    belonging = Closable()
    stream = StreamingHttpResponse([b"piece ", b"by piece"])
    assert handed_over(stream, belonging) is stream
    assert not belonging.is_closed


def answer_to(content: bytes, card: PaymentCard, **more: Any) -> tuple[str, dict[str, Any]]:
    statuses: list[str] = []
    credentials = f"Bearer {make_token(partner=card.consumer.partner)}"
    sent = environ(content, HTTP_AUTHORIZATION=credentials, **more)
    body = application(sent, lambda status, *_: statuses.append(status))  # type: ignore[arg-type]
    return statuses[0], json.loads(b"".join(body))


@pytest.mark.django_db(transaction=True)
def test_makes_a_payment_of_a_chunked_create(card: PaymentCard) -> None:
    status, document = answer_to(json.dumps(wish(card, amount=12.34)).encode(), card)
    assert status == "201 Created"
    assert str(Payment.objects.get().pk) == document["id"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("came", "more"),
    [(b"", {}), (b"{}", {"CONTENT_LENGTH": "20"}), (b"", {"CONTENT_LENGTH": "20"})],
)
def test_does_nothing_of_a_request_that_breaks_off(
    card: PaymentCard, came: bytes, more: dict[str, Any]
) -> None:
    address = f"/v2/consumers/{card.consumer_id}/cancel-account/"
    status, document = answer_to(came, card, PATH_INFO=address, **more)
    assert (status, document["code"]) == ("400 Bad Request", "incomplete_body")
    assert Consumer.objects.get().is_active


@pytest.mark.django_db(transaction=True)
def test_refuses_a_chunked_body_of_many_bytes(card: PaymentCard) -> None:
    status, document = answer_to(b'{"description": "' + b"x" * 10_000_000, card)
    assert (status, document["code"]) == ("413 Request Entity Too Large", "body_too_large")
    assert not Payment.objects.exists()
