"""Django's PostgreSQL backend, with one question answered without asking the server."""
