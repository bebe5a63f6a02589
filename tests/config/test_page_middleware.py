"""The API knows tokens only: neither a session nor what comes with it is looked for there."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db


def test_a_session_says_nothing_to_the_api_and_is_not_looked_up(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(User.objects.create_superuser("grace"))
    with django_assert_num_queries(0):
        answer = client.get("/v2/payments/oct/")
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"
    assert not answer.cookies


@pytest.mark.parametrize("path", ["/networks/nobody", "/v2/nothing/", "/auth/nothing"])
def test_an_address_of_the_api_that_is_not_there_is_answered_to_a_program(
    client: Client, path: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
