"""What the OpenAPI document says about consumers, cards, problems and tokens. No behaviour."""

from typing import Any, Final

from django.utils import timezone
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import (
    Direction,
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)
from rest_framework import serializers

from consumers.api.authentication import ClientTokenAuthentication
from consumers.api.bodies import CancelAccount, CardBody, CardEdit, ConsumerBody, NoBody
from consumers.api.examples import (
    CARD_ANSWER,
    CARD_REQUEST,
    CONSUMER_ANSWER,
    CONSUMER_REQUEST,
    TAKEN_ANSWER,
)
from consumers.api.paging import PAGE_PARAMETERS
from consumers.api.problems import CONTENT_TYPE
from consumers.api.shapes import Birthday, Shape, Text, Whole
from consumers.models import KYCStatus

_CONSUMERS: Final = ["Consumers"]
_CARDS: Final = ["Payment cards"]


class ClientTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells the schema where tokens come from."""

    target_class = ClientTokenAuthentication
    name = "client_token"

    def get_security_definition(self, auto_schema: object) -> dict[str, object]:
        scopes = {"api:read": "Read everything.", "api:write": "Read and change everything."}
        flow = {"tokenUrl": "/auth/token/", "scopes": scopes}
        return {"type": "oauth2", "flows": {"clientCredentials": flow}}


class ShapeForm(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Shows that a request has no members but its own."""

    target_class = Shape
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> Any:
        form: dict[str, Any] = auto_schema._map_serializer(  # type: ignore[no-untyped-call]
            self.target, direction, bypass_extensions=True
        )
        return {**form, "additionalProperties": False}


class TextForm(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Shows the form that a text field insists on."""

    target_class = Text
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> Any:
        form = _mapped(self.target, auto_schema, direction)
        return {**form, "pattern": self.target.pattern}


class BirthdayForm(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Shows the years, up to the last one that is over."""

    target_class = Birthday

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> Any:
        decade, year = divmod(timezone.now().year - 2001, 10)
        years = f"19[0-9]{{2}}|20[0-{decade - 1}][0-9]|20{decade}[0-{year}]"
        return {"type": "string", "format": "date", "pattern": f"^({years})-"}


class WholeForm(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Shows that a whole number may also be written as text, where it may."""

    target_class = Whole

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> Any:
        number = _mapped(self.target, auto_schema, direction)
        if self.target.as_text is None:
            return number
        return {"anyOf": [number, {"type": "string", "pattern": self.target.as_text}]}


def _mapped(target: Any, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
    """What drf-spectacular itself says about a field; it documents this call for extensions."""
    form: dict[str, Any] = auto_schema._map_serializer_field(  # type: ignore[no-untyped-call]
        target, direction, bypass_extensions=True
    )
    return form


class _FieldErrorShown(serializers.Serializer[Any]):
    field = serializers.CharField(allow_blank=True, help_text="Dotted path; empty for the whole.")
    code = serializers.CharField()
    message = serializers.CharField()


class ProblemShown(serializers.Serializer[Any]):
    """A problem document (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable; act on this.")
    errors = _FieldErrorShown(many=True)  # type: ignore[assignment]
    request_id = serializers.CharField(help_text="Staff can search for it.")


class ConsumerExistsShown(ProblemShown):
    """The problem document of a pcid that is taken."""

    id = serializers.UUIDField(help_text="The existing consumer.")


class ConsumerShown(serializers.Serializer[Any]):
    """A person who can be paid."""

    id = serializers.UUIDField()
    pcid = serializers.CharField()
    first_name = serializers.CharField(allow_blank=True)
    last_name = serializers.CharField(allow_blank=True)
    email = serializers.CharField(allow_blank=True)
    phone_number = serializers.CharField(allow_blank=True)
    date_of_birth = serializers.DateField(allow_null=True)
    tax_id_type = serializers.CharField(allow_blank=True)
    tax_identifier = serializers.CharField(allow_blank=True, help_text="Masked.")
    address_line1 = serializers.CharField(allow_blank=True)
    address_line2 = serializers.CharField(allow_blank=True)
    address_city = serializers.CharField(allow_blank=True)
    address_state = serializers.CharField(allow_blank=True)
    address_zip = serializers.CharField(allow_blank=True)
    kyc_status = serializers.ChoiceField(choices=KYCStatus.values)
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class _PushShown(serializers.Serializer[Any]):
    eligible = serializers.BooleanField(allow_null=True, help_text="Null: not known.")
    speed = serializers.ChoiceField(
        choices=["fast_funds", "standard", "not_supported"], allow_null=True
    )
    checked_at = serializers.DateTimeField(allow_null=True)


class CardShown(serializers.Serializer[Any]):
    """A card that money can be pushed to; its `id` is the `external_payment_card_id`."""

    id = serializers.UUIDField()
    consumer_id = serializers.UUIDField()
    network = serializers.CharField()
    card_type = serializers.ChoiceField(choices=["debit", "prepaid", "credit"], allow_null=True)
    bin = serializers.CharField()
    last4 = serializers.CharField()
    expiration_month = serializers.IntegerField()
    expiration_year = serializers.IntegerField()
    cardholder_name = serializers.CharField(allow_blank=True)
    postal_code = serializers.CharField(allow_blank=True)
    nickname = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(choices=["active", "inactive", "expired"])
    push = _PushShown()
    created_at = serializers.DateTimeField()


class _Listed(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class ConsumerPage(_Listed):
    results = ConsumerShown(many=True)
    count_is_exact = serializers.BooleanField(
        required=False, help_text="With a search only: false if `count` is a lower bound."
    )


class CardPage(_Listed):
    results = CardShown(many=True)


def problem(status: int, description: str, shown: Any = ProblemShown) -> dict[Any, Any]:
    """An answer of this status that is a problem document."""
    return {(status, CONTENT_TYPE): OpenApiResponse(shown, description=description)}


REFUSALS: Final = {
    **problem(400, "The request is not valid; everything that is wrong."),
    **problem(401, "The token is missing or not good."),
    **problem(403, "The token's scope does not allow this."),
    **problem(500, "A mistake of ours. Its `request_id` helps us to find it."),
    **problem(503, "The product cannot store anything just now. Repeat it after `Retry-After`."),
}
BODY_REFUSALS: Final = {
    **problem(413, "The body is too large."),
    **problem(415, "The body is not JSON."),
}
_NOT_FOUND: Final = problem(404, "There is no such object of your own.")
_TAKEN: Final = problem(409, "Another consumer has this pcid.", ConsumerExistsShown)
_CLOSED: Final = problem(422, "The consumer's account is canceled.")
_EXPIRED: Final = "The card has expired"
_OUT_OF_USE: Final = problem(422, f"{_EXPIRED}, or was taken out of use.")

LIST_CONSUMERS = extend_schema(
    operation_id="list_consumers",
    tags=_CONSUMERS,
    parameters=[
        *PAGE_PARAMETERS,
        OpenApiParameter(
            "search",
            {"type": "string", "maxLength": 100},
            description="Beginnings of words of the name, e-mail address or pcid.",
        ),
    ],
    responses={200: ConsumerPage, **REFUSALS, **_NOT_FOUND},
)
CREATE_CONSUMER = extend_schema(
    operation_id="create_consumer",
    tags=_CONSUMERS,
    request=ConsumerBody,
    responses={201: ConsumerShown, **REFUSALS, **BODY_REFUSALS, **_TAKEN},
    examples=[CONSUMER_REQUEST, CONSUMER_ANSWER, TAKEN_ANSWER],
)
RETRIEVE_CONSUMER = extend_schema(
    operation_id="retrieve_consumer",
    tags=_CONSUMERS,
    responses={200: ConsumerShown, **REFUSALS, **_NOT_FOUND},
    examples=[CONSUMER_ANSWER],
)
RETRIEVE_CONSUMER_BY_PCID = extend_schema(
    operation_id="retrieve_consumer_by_pcid",
    tags=_CONSUMERS,
    responses={200: ConsumerShown, **REFUSALS, **_NOT_FOUND},
    examples=[CONSUMER_ANSWER],
)
_CHANGED: Final = {
    200: ConsumerShown,
    **REFUSALS,
    **_NOT_FOUND,
    **BODY_REFUSALS,
    **_TAKEN,
    **_CLOSED,
}
REPLACE_CONSUMER = extend_schema(
    operation_id="replace_consumer",
    tags=_CONSUMERS,
    request=ConsumerBody,
    responses=_CHANGED,
    examples=[CONSUMER_REQUEST, CONSUMER_ANSWER, TAKEN_ANSWER],
)
UPDATE_CONSUMER = extend_schema(
    operation_id="update_consumer",
    tags=_CONSUMERS,
    request=ConsumerBody,
    responses=_CHANGED,
    examples=[
        OpenApiExample("A new address", {"email": "ada@example.org"}, request_only=True),
        CONSUMER_ANSWER,
        TAKEN_ANSWER,
    ],
)
CANCEL_ACCOUNT = extend_schema(
    operation_id="cancel_consumer_account",
    tags=_CONSUMERS,
    request=CancelAccount,
    responses={200: ConsumerShown, **REFUSALS, **_NOT_FOUND, **BODY_REFUSALS},
    examples=[
        OpenApiExample(
            "Moved away",
            {"cancellation_reason": "no longer employed", "details": ""},
            request_only=True,
        )
    ],
)

LIST_CARDS = extend_schema(
    operation_id="list_external_payment_cards",
    tags=_CARDS,
    parameters=PAGE_PARAMETERS,
    responses={200: CardPage, **REFUSALS, **_NOT_FOUND},
)
ADD_CARD = extend_schema(
    operation_id="create_external_payment_card",
    tags=_CARDS,
    request=CardBody,
    responses={
        200: OpenApiResponse(CardShown, description="The consumer has this number already."),
        201: CardShown,
        **REFUSALS,
        **_NOT_FOUND,
        **BODY_REFUSALS,
        **problem(422, f"{_EXPIRED}, or the consumer's account is canceled."),
    },
    examples=[CARD_REQUEST, CARD_ANSWER],
)
RETRIEVE_CARD = extend_schema(
    operation_id="retrieve_external_payment_card",
    tags=_CARDS,
    responses={200: CardShown, **REFUSALS, **_NOT_FOUND},
    examples=[CARD_ANSWER],
)
EDIT_CARD = extend_schema(
    operation_id="update_external_payment_card",
    tags=_CARDS,
    request=CardEdit,
    responses={200: CardShown, **REFUSALS, **_NOT_FOUND, **BODY_REFUSALS, **_OUT_OF_USE},
    examples=[
        OpenApiExample("A nickname", {"nickname": "Payday card"}, request_only=True),
        CARD_ANSWER,
    ],
)
DEACTIVATE_CARD = extend_schema(
    operation_id="deactivate_external_payment_card",
    description="Take a card out of use for good. Payments name it, so it is kept: it can still be "
    "retrieved and listed, with the status `inactive`. Doing it again changes nothing.",
    tags=_CARDS,
    responses={204: OpenApiResponse(description="Out of use."), **REFUSALS, **_NOT_FOUND},
)
CHECK_CARD = extend_schema(
    operation_id="check_external_payment_card",
    tags=_CARDS,
    request=NoBody,
    responses={
        200: CardShown,
        **REFUSALS,
        **_NOT_FOUND,
        **BODY_REFUSALS,
        **problem(422, "The card was taken out of use, or no network could say."),
    },
    examples=[CARD_ANSWER],
)
