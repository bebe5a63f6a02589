"""The WSGI application, for granian or any other WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

django_application = get_wsgi_application()

# After Django is set up, because these read its settings.
from config.bodies import ChunkedBodies, NothingUnread, WholeAnswers  # noqa: E402
from config.checks import require_safe_settings  # noqa: E402

require_safe_settings()
application = NothingUnread(WholeAnswers(ChunkedBodies(django_application)))
