"""The frame of a page: with the sidebar for whoever is in, alone for whoever is not (yet)."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from payouts.sign_in.state import has_shown_second_factor


def framed(request: HttpRequest, title: str) -> dict[str, Any]:
    """What every page here needs. Without a second factor there is no sidebar to offer."""
    is_inside = request.user.is_authenticated and has_shown_second_factor(request)
    frame = "backoffice/base.html" if is_inside else "sign_in/alone.html"
    return {**admin.site.each_context(request), "title": title, "frame": frame}
