"""The evidence about one push as a PDF, in the typeface of the admin's theme."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.template.defaultfilters import pluralize

from consumers.cards import CardNetworkName
from payouts.admin.words import EVENT_WORDS, masked, pretty
from payouts.backoffice.sheets import Sheet, in_utc
from payouts.evidence import Evidence
from payouts.payee_history import PayeeHistory


def evidence_pdf(evidence: Evidence, *, printed_at: datetime, printed_by: str) -> bytes:
    """Draw the evidence. What is in the document is in the PDF, and nothing more of the push."""
    document = evidence.document
    push = document["push"]
    sheet = Sheet(foot=f"Push {push['id']}   ·   SHA-256 {evidence.sha256}")
    sheet.title_line(f"${push['amount']:,.2f} to {push['consumer']['name']}")
    sheet.fact("Status", str(push["status"]).replace("_", " "))
    sheet.fact("Printed", f"{in_utc(printed_at)} by {printed_by}")
    sheet.section("The push")
    _facts(sheet, _plain_push(push))
    _draw_edits(sheet, evidence.payee, printed_at)
    sheet.section("History")
    for event in document["history"]:
        words = EVENT_WORDS.get(event["kind"], event["kind"])
        sheet.fact(
            in_utc(event["at"]), f"{words} ({event['to'].replace('_', ' ')}), by {event['by']}"
        )
    for title, name in (("Asked for by rules", "approval"), ("Decisions", "decisions")):
        if document[name]:
            sheet.section(title)
            _tables(sheet, map(_plain_decision, document[name]))
    sheet.section("At the network")
    _facts(sheet, document["network"] or {"sent": "Nothing has been sent."})
    if isinstance(document["journals"], list):
        sheet.section("Journals")
        _journals(sheet, document["journals"])
    _draw_proof(sheet, evidence)
    return bytes(sheet.output())


def _draw_edits(sheet: Sheet, payee: PayeeHistory, printed_at: datetime) -> None:
    """What names the payee otherwise today; the document itself names whom the push was made to."""
    for one in payee.edited_since:
        now = f"{one.what} is {one.now or 'empty'} today, and was {one.was or 'empty'}"
        sheet.fact("Edited since", now)
    if payee.edited_since and payee.renamed_at is not None:
        sheet.fact("", f"last renamed {in_utc(payee.renamed_at)}, as known {in_utc(printed_at)}")


def _plain_push(push: Mapping[str, Any]) -> dict[str, Any]:
    """The push as people say it: payee and card in one line each."""
    consumer, card = push["consumer"], push["card"]
    said = {
        "consumer": f"{consumer['name']} ({consumer['pcid']})",
        "consumer_id": consumer["id"],
        "card": f"{CardNetworkName(card['network']).words} {card['bin']} ···· {card['last_four']}",
        "name on the card": card["cardholder"],
    }
    plain = {name: value for name, value in push.items() if name not in ("status", *said)}
    return {"id": plain.pop("id"), "partner": plain.pop("partner"), **said, **plain}


def _plain_decision(row: Mapping[str, Any]) -> dict[str, Any]:
    """A decision with whom it was about in one line; what a rule asked for stays as it is."""
    seen = row.get("payee_seen")
    if seen is None:
        return dict(row)
    names = [seen["name"], seen["cardholder"] and f"on the card {seen['cardholder']}"]
    return {**row, "payee_seen": ", ".join(filter(None, names))}


def _facts(sheet: Sheet, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if value not in (None, "", {}, []):
            sheet.fact(name.replace("_", " ").capitalize(), _text(value))


def _tables(sheet: Sheet, rows: Iterable[Mapping[str, Any]]) -> None:
    for number, row in enumerate(rows):
        if number:
            sheet.ln(2)
        _facts(sheet, row)


def _journals(sheet: Sheet, journals: Iterable[Mapping[str, Any]]) -> None:
    for journal in journals:
        sheet.fact(f"Journal {journal['id']}", f"{journal['kind']}, {in_utc(journal['at'])}")
        for line in journal["postings"]:
            side = "debit" if line["amount"] > 0 else "credit"
            sheet.fact("", f"{side}  {abs(line['amount']):,.2f}   {line['account']}")


def _draw_proof(sheet: Sheet, evidence: Evidence) -> None:
    sheet.section("How to check this")
    sheet.fact("SHA-256", evidence.sha256)
    sheet.fact("Taken over", "the JSON document of this push, which the back office gives out")
    for link in evidence.links:
        place = f"block {link.block}, {link.hash}" if link.block else "not linked yet"
        sheet.fact(f"{link.source.capitalize()}, {link.rows} row{pluralize(link.rows)}", place)
    sheet.fact("Head of the chain", str(evidence.head or "nothing is linked yet"))


def _text(value: Any) -> str:
    match value:
        case datetime():
            return in_utc(value)
        case Decimal():
            return f"{value:,.2f}"
        case dict() | list():
            return pretty(value)
        case _:
            return str(masked(str(value)))
