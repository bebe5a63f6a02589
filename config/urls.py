"""Where each address goes, and what answers where none fits."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.cache import cache_page
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from config import health

# Writing the document costs as much as a hundred payments, and it changes with the code only.
SCHEMA_KEPT_SECONDS = 300

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    # Payments first: most of what is asked for, and patterns are tried one by one.
    path("", include("payouts.api.urls")),
    path("", include("consumers.api.urls")),
    path(
        "v2/schema/",
        cache_page(SCHEMA_KEPT_SECONDS)(
            SpectacularJSONAPIView.as_view(authentication_classes=[], permission_classes=[])
        ),
        name="schema",
    ),
    path(
        "v2/docs/",
        # Its script comes by an address of its own: our pages run no inline script.
        SpectacularSwaggerSplitView.as_view(authentication_classes=[], permission_classes=[]),
        name="docs",
    ),
    path("admin/", include("payouts.sign_in.urls")),
    path("admin/", include("payouts.backoffice.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "config.rest.bad_request"
handler403 = "config.rest.permission_denied"
handler404 = "config.rest.page_not_found"
handler500 = "config.rest.server_error"
