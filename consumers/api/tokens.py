"""`POST /auth/token/`: OAuth 2.0 client credentials (RFC 6749 §4.4).

The standard's rules are oauthlib's; this room only reads the request, and connects oauthlib to our
clients and tokens.
"""

import base64
import binascii
import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qsl, unquote_plus

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from oauthlib.oauth2 import (  # type: ignore[import-untyped]
    BackendApplicationServer,
    RequestValidator,
)
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from consumers.api.exact_json import ExactJSONParser, limited_body, rendered
from consumers.api.problems import RequestRefused, shown_name
from consumers.operations.api_clients import (
    ALL_SCOPES,
    TOKEN_LIFETIME,
    WrongClientCredentials,
    client_with_credentials,
    issue_token,
    new_token,
)

PARAMETERS = ("grant_type", "client_id", "client_secret", "scope")
MOST_FORM_FIELDS = 32

# RFC 6749 §5.1: an answer with a token in it is never stored on the way.
NOT_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}

# At DEBUG oauthlib writes the tokens that it gives out.
logging.getLogger("oauthlib").setLevel(logging.WARNING)


class FormParser(BaseParser):
    """Reads a form body; a field that comes twice is refused (RFC 6749 §3.2)."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, str]:
        body = limited_body(stream, parser_context)
        try:
            pairs = parse_qsl(
                body.decode("utf-8"), errors="strict", max_num_fields=MOST_FORM_FIELDS
            )
        except ValueError:
            raise RequestRefused("malformed_form", "The form cannot be read.") from None
        for name, _ in pairs:
            if [other for other, _ in pairs].count(name) > 1:
                raise RequestRefused("duplicate_key", f"{shown_name(name)} is given twice.")
        return dict(pairs)


class OurClients(RequestValidator):  # type: ignore[misc]
    """Answers oauthlib's questions from our rows. `request` is always oauthlib's."""

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        try:
            request.client = client_with_credentials(
                request.client_id or "", request.client_secret or ""
            )
        except WrongClientCredentials:
            return False
        return True

    def validate_grant_type(self, *args: Any, **kwargs: Any) -> bool:
        return True

    def get_default_scopes(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> Any:
        return list(request.client.scopes)

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Any, request: Any, *args: Any, **_: Any
    ) -> bool:
        request.scopes = [scope for scope in ALL_SCOPES if scope in scopes]
        return set(scopes) <= set(client.scopes)

    def save_bearer_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        issue_token(request.client, scopes=request.scopes, token=token["access_token"])


SERVER = BackendApplicationServer(
    OurClients(),
    token_generator=lambda request: new_token(),
    token_expires_in=int(TOKEN_LIFETIME.total_seconds()),
)


class TokenRequest(serializers.Serializer[Any]):
    """For the schema only; oauthlib judges the request."""

    grant_type = serializers.ChoiceField(choices=["client_credentials"])
    client_id = serializers.CharField(required=False, help_text="Or by HTTP Basic.")
    client_secret = serializers.CharField(required=False, help_text="Or by HTTP Basic.")
    scope = serializers.CharField(
        required=False, help_text="Separated by blanks. Without it: all scopes of the client."
    )


class TokenAnswer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")
    token_type = serializers.ChoiceField(choices=["Bearer"])
    scope = serializers.CharField()


class TokenError(serializers.Serializer[Any]):
    """RFC 6749 §5.2."""

    error = serializers.ChoiceField(
        choices=["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"]
    )
    error_description = serializers.CharField(required=False)


class TokenView(APIView):
    """Gives a client a bearer token for a day."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = (ExactJSONParser, FormParser)

    @extend_schema(
        operation_id="create_token",
        tags=["Tokens"],
        summary="Take a token",
        request={
            "application/json": TokenRequest,
            "application/x-www-form-urlencoded": TokenRequest,
        },
        responses={
            200: TokenAnswer,
            400: OpenApiResponse(TokenError, description="RFC 6749 §5.2"),
            401: OpenApiResponse(TokenError, description="`invalid_client`"),
        },
        examples=[
            OpenApiExample(
                "Client credentials",
                value={
                    "grant_type": "client_credentials",
                    "client_id": "client_1f0c…",
                    "client_secret": "secret_…",
                    "scope": "api:read api:write",
                },
                request_only=True,
            ),
            OpenApiExample(
                "A token",
                value={
                    "access_token": "token_…",
                    "expires_in": 86400,
                    "token_type": "Bearer",
                    "scope": "api:read api:write",
                },
                response_only=True,
                status_codes=["200"],
            ),
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        if request.META.get("QUERY_STRING"):
            return _refused("invalid_request", "Parameters belong in the body, not in the address.")
        parameters = _parameters_of(request)
        _, body, status = SERVER.create_token_response(
            request.path, http_method="POST", body=parameters
        )
        if status == 200:
            return _answer(json.loads(body), status=status)
        error = json.loads(body)
        return _refused(error["error"], error.get("error_description", ""), status=status)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, RequestRefused) and exc.status_code == 400:
            # Whatever is wrong with the form of the request has one name in RFC 6749.
            return _refused("invalid_request", str(exc.detail))  # type: ignore[return-value]
        return super().handle_exception(exc)


def _parameters_of(request: Request) -> dict[str, str]:
    """The parameters that the standard knows, with the credentials of HTTP Basic among them.

    Raises:
        RequestRefused: a parameter is not text, or there are two kinds of credentials.
    """
    body = cast(dict[str, Any], request.data)
    sent = {name: body[name] for name in PARAMETERS if body.get(name)}
    if not all(isinstance(value, str) for value in sent.values()):
        raise RequestRefused("invalid_request", "Every parameter is a string.")
    scheme, _, encoded = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        return sent
    client_id, secret = _basic_credentials(encoded)
    if "client_secret" in sent or sent.get("client_id", client_id) != client_id:
        raise RequestRefused("invalid_request", "Send credentials in one way only.")
    return {**sent, "client_id": client_id, "client_secret": secret}


def _basic_credentials(encoded: str) -> tuple[str, str]:
    """Read the credentials of RFC 6749 §2.3.1; what cannot be read is nobody's."""
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    client_id, _, secret = text.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)


def _answer(document: Mapping[str, object], *, status: int) -> HttpResponse:
    return HttpResponse(
        rendered(document), status=status, content_type="application/json", headers=NOT_STORED
    )


def _refused(error: str, description: str, *, status: int = 400) -> HttpResponse:
    members = {"error": error, "error_description": description}
    answer = _answer({name: value for name, value in members.items() if value}, status=status)
    if status == HTTPStatus.UNAUTHORIZED:
        answer["WWW-Authenticate"] = 'Basic realm="payouts", charset="UTF-8"'
    return answer
