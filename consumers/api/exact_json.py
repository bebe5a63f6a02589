"""JSON in and out, exactly: no float on the way, no duplicate key, nothing that cannot be stored.

The parser, the renderer and the negotiation that every endpoint uses. What the fields of a request
mean is not decided here; only what no request may contain, whatever its fields are.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NoReturn, Protocol

import orjson
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from consumers.api.problems import BodyTooLarge, RequestRefused, shown_name

LARGEST_BODY_BYTES = 64 * 1024
DEEPEST_NESTING = 16

# Any double fits, so that a field can still name its own problem, and nothing can be sent whose
# conversion to an integer would take long.
LONGEST_NUMBER_CHARACTERS = 400
LARGEST_EXPONENT = 400

# PCI DSS 3.3.1: sensitive authentication data must not be stored after authorization, so we do not
# even let it in. Words of a name, after camelCase and every other spelling is taken apart.
SECRET_WORDS = frozenset({"cvv", "cvc", "cvn", "csc", "cav", "cvd", "pin", "track", "magstripe"})
SECRET_PHRASES = (
    "securitycode",
    "verificationvalue",
    "verificationcode",
    "verificationnumber",
    "magneticstripe",
    "trackdata",
    "pinblock",
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_WRITTEN_TOGETHER = re.compile(
    r"(?:card|payment|debit)?(?:cvv|cvc)|(?:card|payment|debit)(?:cvn|csc|cav|pin|track)"
)


class Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def rendered(document: object) -> bytes:
    """The JSON text of a document: Decimals as numbers digit by digit, times with `Z`."""
    return orjson.dumps(document, default=_exact_text, option=orjson.OPT_UTC_Z)


def as_sent(document: Mapping[str, object]) -> dict[str, Any]:
    """A document as a client would read it and could send it back."""
    return parsed(rendered(document))


def parsed(text: bytes) -> dict[str, Any]:
    """Read one JSON object; numbers with a fraction or an exponent become Decimals.

    Raises:
        RequestRefused: the text is not UTF-8, not JSON, not an object, repeats a key, nests deeper
            than 16, holds NaN, Infinity, a NUL character or half a surrogate pair, or names a field
            for sensitive authentication data (CVV, PIN, track).
    """
    try:
        document = _DECODER.decode(text.decode("utf-8"))
    except UnicodeDecodeError:
        raise RequestRefused("invalid_utf8", "The body is not valid UTF-8.") from None
    except json.JSONDecodeError as error:
        raise RequestRefused(
            "malformed_json",
            f"The body is not valid JSON: see line {error.lineno}, column {error.colno}.",
        ) from None
    except RecursionError:
        raise _too_deep() from None
    if not isinstance(document, dict):
        raise RequestRefused("not_an_object", "The body must be a JSON object.")
    if text.count(b"{") + text.count(b"[") > DEEPEST_NESTING:
        _require_shallow(document, DEEPEST_NESTING)
    if b"\\u" in text:
        _require_storable_text(document)
    return document


class ExactJSONParser(BaseParser):
    """Reads `application/json` bodies of at most 64 KiB through `parsed`."""

    media_type = "application/json"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        return parsed(limited_body(stream, parser_context))


def limited_body(stream: Stream, parser_context: Mapping[str, Any] | None) -> bytes:
    """Read a whole body.

    Raises:
        BodyTooLarge: before or while reading one that is too long.
        RequestRefused: it broke off. What came may make sense, and is not what was meant.
    """
    announced = "0"
    if parser_context is not None:
        announced = parser_context["request"].META.get("CONTENT_LENGTH") or "0"
        if len(announced) > 9 or int(announced) > LARGEST_BODY_BYTES:
            raise _too_large()
    body = stream.read(LARGEST_BODY_BYTES + 1)
    if len(body) > LARGEST_BODY_BYTES:
        raise _too_large()
    if len(body) < int(announced):
        raise RequestRefused("incomplete_body", "The body ended before its length.")
    return body


class JSONRenderer(BaseRenderer):
    """Writes answers with `rendered`. A body of None stays empty (204)."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else rendered(data)


class OnlyJSON(BaseContentNegotiation):
    """Answers JSON whatever `Accept` says, which RFC 9110 §12.5.1 allows, and picks the parser."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        sent = request.content_type.partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == sent), None)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


def is_secret_name(name: str) -> bool:
    """Whether a field of that name would carry a CVV, a PIN or track data, however it is spelt."""
    # Ordinary names come again with every request. Names with digits are not kept: a card number
    # may be among them.
    return _remembered(name) if name.replace("_", "").isalpha() else _spells_a_secret(name)


def _spells_a_secret(name: str) -> bool:
    folded = name if name.isascii() else unicodedata.normalize("NFKC", name)
    words = [word.lower() for word in _WORD.findall(folded)]
    if not SECRET_WORDS.isdisjoint(words):
        return True
    together = "".join(words)
    return _WRITTEN_TOGETHER.match(together) is not None or any(
        phrase in together for phrase in SECRET_PHRASES
    )


_remembered = lru_cache(maxsize=512)(_spells_a_secret)


def _exact_text(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        # Writing is faster than formatting, and money never has an exponent.
        text = str(value)
        return orjson.Fragment(format(value, "f") if "E" in text else text)
    raise TypeError(f"{type(value).__name__} has no JSON form here.")


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    secret = [name for name in members if is_secret_name(name)]
    if secret:
        raise RequestRefused(
            "sensitive_authentication_data",
            "A request must never carry a card's security code, PIN or track data. "
            "Nothing of this request was kept.",
            fields=map(shown_name, secret),
        )
    if len(members) != len(pairs):
        times = Counter(name for name, _ in pairs)
        raise RequestRefused(
            "duplicate_key",
            "A field is given more than once.",
            fields=[shown_name(name) for name in times if times[name] > 1],
        )
    return members


def _decimal_of(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise _number_out_of_range() from None
    if len(text) > LONGEST_NUMBER_CHARACTERS or abs(number.adjusted()) > LARGEST_EXPONENT:
        raise _number_out_of_range()
    return number


def _integer_of(text: str) -> int:
    if len(text) > LONGEST_NUMBER_CHARACTERS:
        raise _number_out_of_range()
    return int(text)


def _refuse_constant(name: str) -> NoReturn:
    raise RequestRefused("malformed_json", f"{name} is not JSON (RFC 8259 §6).")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_of,
    parse_float=_decimal_of,
    parse_int=_integer_of,
    parse_constant=_refuse_constant,
)


def _require_shallow(value: object, levels_left: int) -> None:
    if not isinstance(value, dict | list):
        return
    if levels_left == 0:
        raise _too_deep()
    for inner in value.values() if isinstance(value, dict) else value:
        _require_shallow(inner, levels_left - 1)


def _require_storable_text(document: Mapping[str, Any]) -> None:
    """Only escapes can bring these in: the decoder refuses them raw, in keys as in values."""
    wrong = [path for path, text in _texts(document, "") if not _is_storable(text)]
    if wrong:
        raise RequestRefused(
            "invalid_text",
            "Text must not hold NUL characters or halves of surrogate pairs.",
            fields=dict.fromkeys(wrong),
        )


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Every text of a document, a name as well, with the path of the member that it stands in."""
    if isinstance(value, str):
        yield path, value
        return
    members: Iterable[tuple[object, object]] = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for name, inner in members:
        shown = shown_name(str(name))
        joined = f"{path}.{shown}" if path else shown
        yield joined, str(name)
        yield from _texts(inner, joined)


def _is_storable(text: str) -> bool:
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def _too_deep() -> RequestRefused:
    return RequestRefused(
        "nested_too_deeply", f"The body nests deeper than {DEEPEST_NESTING} levels."
    )


def _too_large() -> BodyTooLarge:
    return BodyTooLarge("body_too_large", f"A body has at most {LARGEST_BODY_BYTES} bytes.")


def _number_out_of_range() -> RequestRefused:
    return RequestRefused("number_out_of_range", "A number in the body is beyond any use.")
