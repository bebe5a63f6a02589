"""Writes the SQL of one create as a script for pgbench: what the database itself could do.

The statements are caught from a real create over HTTP, so that they are always the product's own.
What differs from call to call (card, amount, key, id, instant) becomes an expression, everything
else stays as it was bound.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import connection, transaction
from psycopg import sql
from rest_framework.test import APIClient as HTTPClient

from consumers.models import PaymentCard

Statement = tuple[str, Mapping[str, Any]]

_PARAMETER: Final = re.compile(r"%\((\w+)\)s")
_PREAMBLE: Final = """\
\\set card random(1, {cards})
\\set cents random(100, 9099)
\\set key random(1, 9000000000000000000)
"""
_VARYING: Final = {
    "id": "uuidv7()",
    "at": "now()",
    "amount": "(:cents / 100.0)::numeric(12, 2)",
    "key": "'pgbench-' || :key::bigint",
}


def create_script(cards: Sequence[PaymentCard], *, token: str) -> str:
    """The script: the statements of one create, each a transaction of its own as in the product."""
    consumer_ids = _array(str(card.consumer_id) for card in cards)
    card_ids = _array(str(card.pk) for card in cards)
    varying = {
        **_VARYING,
        "consumer_id": f"{consumer_ids}::uuid[])[:card]",
        "consumer": f"{consumer_ids}::uuid[])[:card]",
        "consumer_ref": f"{consumer_ids}::text[])[:card]",
        "card_id": f"{card_ids}::uuid[])[:card]",
        "card": f"{card_ids}::uuid[])[:card]",
    }
    statements = _statements_of_a_create(cards[0], token=token)
    texts = [_written_out(statement, varying) for statement in statements]
    return _PREAMBLE.format(cards=len(cards)) + "".join(f"{text};\n" for text in texts)


def _array(values: Any) -> str:
    return "('{" + ",".join(values) + "}'"


def _statements_of_a_create(card: PaymentCard, *, token: str) -> list[Statement]:
    caught: list[Statement] = []

    # The signature is that of Django's execute wrappers.
    def catch(execute: Any, text: str, bound: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        if isinstance(bound, Mapping):
            caught.append((text, bound))
        return execute(text, bound, many, context)

    http = HTTPClient(headers={"authorization": f"Bearer {token}", "idempotency-key": "caught"})
    body = {
        "consumer_id": str(card.consumer_id),
        "external_payment_card_id": str(card.pk),
        "amount": 45,
    }
    with transaction.atomic(), connection.execute_wrapper(catch):
        answer = http.post("/v2/payments/oct/", json.dumps(body), content_type="application/json")
        transaction.set_rollback(True)
    assert answer.status_code == 201, answer.content
    return caught


def _written_out(statement: Statement, varying: Mapping[str, str]) -> str:
    text, bound = statement

    def value(parameter: re.Match[str]) -> str:
        name = parameter[1]
        if bound[name] is not None and name in varying:
            return varying[name]
        return _literal(bound[name])

    return _PARAMETER.sub(value, text).strip()


def _literal(value: Any) -> str:
    text = sql.Literal(value).as_string(connection.connection)
    # pgbench takes a colon before a word for one of its variables, in a literal as well.
    return re.sub(r":(?=\w)", "' || chr(58) || '", text) if isinstance(value, str) else text
