"""What the OpenAPI document says of all operations alike: scopes, request ids, refusals, names.

drf-spectacular calls `complete` on the finished document; see SPECTACULAR_SETTINGS.
"""

from collections.abc import Iterator
from typing import Any, Final

from consumers.api.paging import NUMBER, SIZE
from consumers.api.permissions import READ, WRITE
from consumers.api.problems import CONTENT_TYPE, TYPE_PREFIX

DESCRIPTION: Final = """\
Push money to people's payment cards.

**Tokens.** `POST /auth/token/` with your client's id and secret gives a bearer token for a day.
Send it as `Authorization: Bearer …`. Reading and quotes need the scope `api:read` or `api:write`,
everything else `api:write`.

**Once, not twice.** Send an `Idempotency-Key` of your own with each create. After a timeout repeat
the very same request: one payment is made, and the repeat gets the first answer. A create without a
key that looks like one of the last ten minutes is held until a person has looked at it.

**Money** is in US dollars, as JSON numbers with at most two decimals. `money_moved` and
`safe_to_retry` of a payment say what you may rely on, whatever its status.

**Errors** are problem documents (RFC 9457). `code` is stable; `errors` names everything that is
wrong at once. Every answer has a `Request-Id` that our staff can search for.

**Lists** are newest first. Follow `next` and `previous` as they are; they cost the same anywhere in
a list, page numbers do not.
"""

# In the order of the page.
TAGS: Final = {
    "Tokens": "The way in (OAuth 2.0 client credentials, RFC 6749 §4.4).",
    "Payments": "Pushes to cards.",
    "Balance": "Your money with us.",
    "Events": "What happened, in one order.",
    "Webhooks": "Being told of events.",
    "Consumers": "The people whom you pay.",
    "Payment cards": "Where their money goes.",
}

# The refusals that can look alike everywhere, with a code that each may have.
_REFUSALS: Final = {
    "400": ("invalid_request", "The request is not valid."),
    "401": ("invalid_token", "The token is not valid."),
    "403": ("insufficient_scope", "The token's scope does not allow this."),
    "404": ("not_found", "There is nothing here."),
    "413": ("body_too_large", "The body is too large."),
    "415": ("unsupported_media_type", "The body must be application/json."),
}
_REQUEST_ID: Final = {
    "schema": {"type": "string", "pattern": "^req_[0-9a-f]{32}$"},
    "description": "Name it when you ask us about this call.",
}
_CHALLENGE: Final = {"schema": {"type": "string"}, "description": "RFC 6750 §3."}
# The published contract writes `?page=&page_size=`; drf-spectacular has no word for it. The lists
# with numbered pages take it, see `consumers.api.parameters.given`.
_MAY_BE_EMPTY: Final = (NUMBER, SIZE)
# Questions that come with a body.
_READ_BY_POST: Final = frozenset({"quote_oct_payment"})
_METHODS: Final = frozenset({"get", "put", "post", "patch", "delete"})
# What drf-spectacular leaves for a hook that we do without: enums stay where they are used.
_ENUM_MARK: Final = "x-spec-enum-id"
_EMPTY_TEXT: Final = {"type": "string", "maxLength": 0}
_REFERENCE: Final = "#/components/schemas/"


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add to the document what holds for every operation."""
    result["info"]["description"] = DESCRIPTION
    result["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    for method, operation in _operations(result):
        assert set(operation["tags"]) <= TAGS.keys(), operation["tags"]
        operation.setdefault("summary", operation["description"].partition(".")[0])
        if "security" in operation:
            reads = method == "get" or operation["operationId"] in _READ_BY_POST
            operation["security"] = _security(operation["security"], reads=reads)
        parameters = {one["name"]: one for one in operation.get("parameters", ())}
        if NUMBER in parameters:
            for name in _MAY_BE_EMPTY:
                parameters[name]["allowEmptyValue"] = True
        for status, answer in operation["responses"].items():
            _complete_answer(status, answer)
    schemas = result["components"]["schemas"]
    names = {name: _public_name(name) for name in schemas}
    assert len(set(names.values())) == len(names), "Two schemas would share a name."
    result["components"]["schemas"] = {names[name]: schemas[name] for name in schemas}
    renamed: dict[str, Any] = _tidied(result, names)
    return renamed


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for methods in result["paths"].values():
        for method, operation in methods.items():
            if method in _METHODS:
                yield method, operation


def _security(schemes: list[dict[str, list[str]]], *, reads: bool) -> list[dict[str, list[str]]]:
    """Either scope is enough for reading."""
    scopes = [READ, WRITE] if reads else [WRITE]
    return [{name: [scope]} for scheme in schemes for name in scheme for scope in scopes]


def _complete_answer(status: str, answer: dict[str, Any]) -> None:
    headers = answer.setdefault("headers", {})
    headers["Request-Id"] = _REQUEST_ID
    if status == "401":
        headers["WWW-Authenticate"] = _CHALLENGE
    problem = answer.get("content", {}).get(CONTENT_TYPE)
    if problem is not None and "examples" not in problem and status in _REFUSALS:
        problem["example"] = _refusal(status)


def _refusal(status: str) -> dict[str, Any]:
    code, title = _REFUSALS[status]
    return {
        "type": TYPE_PREFIX + code,
        "title": title,
        "status": int(status),
        "detail": title,
        "code": code,
        "errors": [],
        "request_id": "req_0199f3a27c3f7b1c8a2e5d4f60718293",
    }


def _public_name(name: str) -> str:
    """Classes that exist for the document alone are called `PaymentShown` or `_PushShown`."""
    return name.removeprefix("_").removesuffix("Shown")


def _tidied(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_tidied(inner, names) for inner in value]
    if not isinstance(value, dict):
        return value
    tidy = {
        name: _renamed(inner, names) if name == "$ref" else _tidied(inner, names)
        for name, inner in value.items()
        if name != _ENUM_MARK
    }
    return _with_blanks_apart(tidy) if _EMPTY_TEXT in tidy.get("oneOf", ()) else tidy


def _renamed(reference: str, names: dict[str, str]) -> str:
    return _REFERENCE + names[reference.removeprefix(_REFERENCE)]


def _with_blanks_apart(schema: dict[str, Any]) -> dict[str, Any]:
    """Say `text of a form, or empty` so that an empty text is never both.

    A validator may take a `format` for a remark, and the default is the default of the whole.
    """
    (form,) = (one for one in schema["oneOf"] if one != _EMPTY_TEXT)
    default = {"default": form["default"]} if "default" in form else {}
    form = {name: inner for name, inner in form.items() if name != "default"}
    return {**schema, **default, "oneOf": [{**form, "minLength": 1}, _EMPTY_TEXT]}
