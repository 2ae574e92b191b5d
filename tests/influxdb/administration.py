"""What of InfluxDB 2.7's administration the tests use: organizations, buckets, v1 authorizations.

There is one organization. A bucket's id is its name in hexadecimal letters; an authorization's is
its user's name. The operator's token is the password of the administrator of the server behind.
"""

import json
import re
from collections import defaultdict
from typing import Any, Final

from tests.influxdb.answers import UNKNOWN, Refused
from tests.influxdb.backend import Backend

ORGANIZATION: Final = "0a0a0a0a0a0a0a0a"
_PATH: Final = re.compile(
    r"/(?:api/v2/(orgs|buckets)|private/legacy/(authorizations))(?:/(\w+)(/password)?)?"
)
_SECONDS: Final = 3600


def is_administration(path: str) -> bool:
    """Is it a call of these?"""
    return _PATH.fullmatch(path) is not None


def administer(
    backend: Backend, token: str, method: str, path: str, body: bytes
) -> tuple[int, str]:
    """Status and body of the answer to a call. Raises ``Refused``."""
    if not backend.knows(f"admin:{token}"):
        raise UNKNOWN
    found = _PATH.fullmatch(path)
    assert found is not None
    kind, key, password = found[1] or found[2], found[3] or "", found[4]
    request = json.loads(body) if body else {}
    if method == "DELETE":
        _remove(backend, kind, key)
        return 204, ""
    if password:
        backend.result("", f"SET PASSWORD FOR \"{key}\" = '{request['password']}'")
        return 204, ""
    return 201, json.dumps({"id": _make(backend, kind, request)})


def _remove(backend: Backend, kind: str, key: str) -> None:
    if kind == "buckets":
        backend.result("", f'DROP DATABASE "{bytes.fromhex(key).decode()}"')
    elif kind == "authorizations":
        backend.result("", f'DROP USER "{key}"')


def _make(backend: Backend, kind: str, request: dict[str, Any]) -> str:
    """Its id."""
    if kind == "orgs":
        return ORGANIZATION
    assert request["orgID"] == ORGANIZATION
    if kind == "buckets":
        rules = request["retentionRules"]
        every = f" WITH DURATION {rules[0]['everySeconds'] // _SECONDS}h" if rules else ""
        backend.result("", f'CREATE DATABASE "{request["name"]}"{every}')
        return str(request["name"]).encode().hex()
    user = str(request["token"])
    if "error" in backend.result("", f"CREATE USER \"{user}\" WITH PASSWORD 'none'"):
        raise Refused(422, "conflict", "token already exists")
    rights: dict[str, set[str]] = defaultdict(set)
    for permission in request["permissions"]:
        assert permission["resource"]["type"] == "buckets"
        rights[bytes.fromhex(permission["resource"]["id"]).decode()].add(
            permission["action"].upper()
        )
    for name, actions in rights.items():
        right = "ALL" if len(actions) > 1 else actions.pop()
        backend.result("", f'GRANT {right} ON "{name}" TO "{user}"')
    return user
