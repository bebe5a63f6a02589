"""What a person makes of the list of pushes: views, columns, what there is to narrow by."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User

from consumers.models import AuditEntry
from payouts.actors import api_client
from payouts.finding.push_lists import facets_of
from payouts.finding.push_query import PushQuery
from payouts.models import PushListChoice, PushView
from payouts.operations import push_views
from payouts.operations.push_views import (
    NotTheOwner,
    TooManyViews,
    ViewExists,
    choose_columns,
    choose_default_view,
    delete_view,
    save_view,
)
from payouts.operations.record_outcome import record_outcome
from tests.back_office import LIST, browser, browser_of, text_of
from tests.batches import issued, line
from tests.builders import MASTERCARD_NUMBER, make_api_client, make_card, make_consumer
from tests.pushes import (
    claim,
    declined,
    make_funded_partner,
    make_payee,
    make_staff,
    push,
    push_unknown,
)

pytestmark = pytest.mark.django_db

VIEWS = "/admin/pushes/views/"


@pytest.fixture
def grace() -> User:
    return make_staff("grace", "viewer")


def failed() -> PushQuery:
    return PushQuery.read({"status": "failed"})


def test_a_view_is_saved_opened_and_deleted(grace: User) -> None:
    client = browser_of(grace)
    saved = client.post(f"{VIEWS}save/", {"query": "status=failed&page=2", "name": "Failed today"})
    assert saved.headers["Location"] == f"{LIST}?status=failed"
    view = PushView.objects.get()
    assert (view.query, view.is_shared) == ("status=failed", False)
    page = client.get(LIST, {"status": "failed"})
    assert '<a href="?status=failed" aria-current="page"' in page.content.decode()
    client.post(f"{VIEWS}{view.pk}/delete/")
    assert not PushView.objects.exists()
    verbs = AuditEntry.objects.filter(subject_type="payouts.pushview").values_list(
        "verb", flat=True
    )
    assert sorted(verbs) == ["add", "delete"]


def test_others_see_a_view_only_if_it_is_shared(grace: User) -> None:
    save_view(failed(), name="Mine alone", is_shared=False, by=grace)
    save_view(failed(), name="For all of us", is_shared=True, by=grace)
    page = text_of(browser("maker").get(LIST))
    assert "For all of us" in page
    assert "Mine alone" not in page


def test_only_its_owner_deletes_a_view(grace: User) -> None:
    view = save_view(failed(), name="x", is_shared=True, by=grace)
    other = make_staff("other", "viewer")
    with pytest.raises(NotTheOwner):
        delete_view(view, by=other)
    assert browser_of(other).post(f"{VIEWS}{view.pk}/delete/").status_code == 404
    assert PushView.objects.filter(pk=view.pk).exists()


def test_a_name_is_given_once(grace: User) -> None:
    save_view(failed(), name="x", is_shared=False, by=grace)
    with pytest.raises(ViewExists):
        save_view(PushQuery.read({"q": "a"}), name="x", is_shared=False, by=grace)
    assert PushView.objects.get().query == "status=failed"
    assert AuditEntry.objects.filter(verb="add").count() == 1


def test_there_are_not_too_many(grace: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_views, "VIEWS_AT_MOST", 1)
    save_view(failed(), name="x", is_shared=False, by=grace)
    with pytest.raises(TooManyViews):
        save_view(failed(), name="y", is_shared=False, by=grace)


def test_the_list_opens_with_the_chosen_view(grace: User) -> None:
    view = save_view(failed(), name="x", is_shared=False, by=grace)
    client = browser_of(grace)
    client.post(f"{VIEWS}open-with/", {"view": str(view.pk), "query": ""})
    assert client.get(LIST).headers["Location"] == f"{LIST}?status=failed"
    assert client.get(LIST, {"view": "all"}).status_code == 200
    delete_view(view, by=grace)
    assert client.get(LIST).status_code == 200


def test_nobody_opens_with_what_is_not_offered(grace: User) -> None:
    view = save_view(failed(), name="x", is_shared=False, by=grace)
    other = make_staff("other", "viewer")
    answer = browser_of(other).post(f"{VIEWS}open-with/", {"view": str(view.pk)})
    assert answer.status_code == 404
    assert not PushListChoice.objects.exists()


def test_columns_are_chosen_for_oneself(grace: User) -> None:
    push(make_payee(), reference="INV-1", description="Rent")
    client = browser_of(grace)
    client.post("/admin/pushes/columns/", {"columns": ["description", "id", "nonsense"]})
    assert PushListChoice.objects.get().columns == ["description", "id"]
    html = client.get(LIST).content.decode()
    assert "Rent" in html
    assert "INV-1" not in html
    assert "INV-1" in browser("maker").get(LIST).content.decode()


@pytest.mark.parametrize("columns", [[], ["nonsense"]])
def test_a_list_without_columns_is_the_usual_one(grace: User, columns: list[str]) -> None:
    choose_columns(columns, by=grace)
    assert "asked_at" in PushListChoice.objects.get().columns


def test_every_column_is_shown_at_the_same_cost(
    grace: User, django_assert_num_queries: Any
) -> None:
    from payouts.finding.push_columns import COLUMNS

    choose_columns([column.name for column in COLUMNS], by=grace)
    choose_default_view(None, by=grace)
    push_unknown(make_payee())
    client = browser_of(grace)
    with django_assert_num_queries(12):
        page = client.get(LIST)
    assert re.search(r"field-rrn_shown", page.content.decode())


def test_facets_tell_clients_of_the_same_name_by_their_partners() -> None:
    for name in ("Northwind", "Harbor"):
        card = make_payee(partner=make_funded_partner(name=name))
        client = make_api_client(partner=card.partner, name="Server").client
        push(card, actor=api_client(client.pk, client.name))
    found = facets_of(PushQuery.read({}))
    (makers,) = (facet.values for facet in found.facets if facet.name == "maker")
    assert {one.words for one in makers} == {"Server, Northwind", "Server, Harbor"}


def test_facets_count_what_is_there() -> None:
    push_unknown(make_payee())
    card = make_payee()
    push(card)
    consumer = make_consumer(partner=card.partner, pcid="b")
    push(make_card(consumer=consumer, number=MASTERCARD_NUMBER))
    found = facets_of(PushQuery.read({}))
    counts = {facet.name: {one.words: one.pushes for one in facet.values} for facet in found.facets}
    assert counts["status"] == {"pending": 2, "unknown": 1}
    assert counts["network"] == {"Visa": 2, "Mastercard": 1}
    assert counts["source"] == {"API": 3}
    assert counts["partner"][card.partner.name] == 2
    assert (found.looked_at, found.is_all) == (3, True)


def test_facets_name_reasons_and_batches() -> None:
    payment = push(make_payee())
    record_outcome(payment.pk, declined("05"), send_number=claim(payment).send_number)
    card = make_payee()
    mia = make_staff("mia", "maker")
    User.objects.filter(pk=mia.pk).update(first_name="Mia", last_name="Moss")
    issued(card.partner, mia, line(card), line(card, "11"))
    found = facets_of(PushQuery.read({}))
    counts = {facet.name: {one.words: one.pushes for one in facet.values} for facet in found.facets}
    assert counts["failure"] == {"do not honor": 1}
    assert counts["maker"]["Mia Moss"] == 2
    assert counts["batch"] == {"November payroll": 2}


def test_facets_lead_to_what_they_count(grace: User, django_assert_num_queries: Any) -> None:
    push(make_payee())
    client = browser_of(grace)
    with django_assert_num_queries(6):
        html = client.get("/admin/pushes/facets/", {"status": "pending"}).content.decode()
    assert "?status=pending&amp;network=visa" in html
    assert "status=failed" not in html


def test_facets_of_nonsense_are_none(grace: User) -> None:
    assert browser_of(grace).get("/admin/pushes/facets/", {"status": "x"}).status_code == 404
