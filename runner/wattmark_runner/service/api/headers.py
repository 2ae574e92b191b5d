"""Headers of requests beside those that FastAPI describes itself."""

from typing import Final

KEY_LENGTH: Final = 200
IDEMPOTENT: Final = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH},
            "description": "sent twice with the same key, the request is carried out once",
        }
    ]
}
"""For ``openapi_extra`` of each POST."""
