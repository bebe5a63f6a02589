"""Points in time as every page shows them: in the viewer's zone, with UTC when hovered."""

from datetime import datetime

from django import template
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    """`08 Mar 2026, 03:30` in the viewer's zone."""
    # Templates are made ready while the admin site is still being imported.
    from consumers.admin.base import instant

    return instant(at)


@register.filter
def exact_moment(at: datetime | None) -> SafeString | str:
    """The same to the second, where the order of what happened matters."""
    from consumers.admin.base import instant

    return instant(at, is_exact=True)
