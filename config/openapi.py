"""What the OpenAPI document says of all operations alike: scopes, request ids, names of schemas.

drf-spectacular calls `complete` on the finished document; see SPECTACULAR_SETTINGS.
"""

from collections.abc import Iterator
from typing import Any, Final

from consumers.api.permissions import READ, WRITE

DESCRIPTION: Final = """\
Push money to people's payment cards.

**Tokens.** `POST /auth/token/` with your client's id and secret gives a bearer token for a day.
Send it as `Authorization: Bearer …`. Reading needs the scope `api:read` or `api:write`, everything
else `api:write`.

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

_REQUEST_ID: Final = {
    "schema": {"type": "string", "pattern": "^req_[0-9a-f]{32}$"},
    "description": "Name it when you ask us about this call.",
}
_CHALLENGE: Final = {"schema": {"type": "string"}, "description": "RFC 6750 §3."}
_METHODS: Final = frozenset({"get", "put", "post", "patch", "delete"})
# What drf-spectacular leaves for a hook that we do without: enums stay where they are used.
_ENUM_MARK: Final = "x-spec-enum-id"
_REFERENCE: Final = "#/components/schemas/"


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add to the document what holds for every operation."""
    result["info"]["description"] = DESCRIPTION
    for method, operation in _operations(result):
        if "security" in operation:
            operation["security"] = _security(operation["security"], method)
        for status, answer in operation["responses"].items():
            headers = answer.setdefault("headers", {})
            headers["Request-Id"] = _REQUEST_ID
            if status == "401":
                headers["WWW-Authenticate"] = _CHALLENGE
    schemas = result["components"]["schemas"]
    names = {name: _public_name(name) for name in schemas}
    assert len(set(names.values())) == len(names), "Two schemas would share a name."
    result["components"]["schemas"] = {names[name]: schemas[name] for name in schemas}
    renamed: dict[str, Any] = _renamed(result, names)
    return renamed


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for methods in result["paths"].values():
        for method, operation in methods.items():
            if method in _METHODS:
                yield method, operation


def _security(schemes: list[dict[str, list[str]]], method: str) -> list[dict[str, list[str]]]:
    """Either scope is enough for reading."""
    scopes = [READ, WRITE] if method == "get" else [WRITE]
    return [{name: [scope]} for scheme in schemes for name in scheme for scope in scopes]


def _public_name(name: str) -> str:
    """Classes that exist for the document alone are called `PaymentShown` or `_PushShown`."""
    return name.removeprefix("_").removesuffix("Shown")


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _renamed_reference(inner, names) if name == "$ref" else _renamed(inner, names)
        for name, inner in value.items()
        if name != _ENUM_MARK
    }


def _renamed_reference(reference: str, names: dict[str, str]) -> str:
    return _REFERENCE + names[reference.removeprefix(_REFERENCE)]
