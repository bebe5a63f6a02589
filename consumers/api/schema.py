"""What the OpenAPI schema cannot see in the code: where tokens come from, the forms of fields.

Imported by `urls.py`, so that drf-spectacular finds it; nothing else depends on it.
"""

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from consumers.api.authentication import ClientTokenAuthentication


class ClientTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells the schema where tokens come from."""

    target_class = ClientTokenAuthentication
    name = "client_token"

    def get_security_definition(self, auto_schema: object) -> dict[str, object]:
        scopes = {"api:read": "Read everything.", "api:write": "Read and change everything."}
        flow = {"tokenUrl": "/auth/token/", "scopes": scopes}
        return {"type": "oauth2", "flows": {"clientCredentials": flow}}
