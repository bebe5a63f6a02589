"""Signs staff of a running demo in, as a person does who reads the code from the page."""

import re

import httpx


def sign_in(browser: httpx.Client, username: str, password: str) -> None:
    """Give password and code in a browser that was not used yet; it is signed in then."""
    page = browser.get("/admin/login/", follow_redirects=True)
    given = {"login": username, "password": password, "csrfmiddlewaretoken": _token(page)}
    asked = browser.post(page.url, data=given, follow_redirects=True)
    code = re.search(r'class="po-copy">([0-9]{6})<', asked.text)
    assert code is not None, "The demo did not show the code."
    given = {"code": code[1], "csrfmiddlewaretoken": _token(asked)}
    answer = browser.post(asked.url, data=given)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/"), answer.text


def _token(page: httpx.Response) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]
