"""What every listener allows a client before it has shown a key, and while it answers.

The figures stand in ``docs/security.md``. They are the same for exporter, collector and runner;
only the number of connections is each one's own.
"""

from typing import Final

HEAD_BYTES: Final = 32 * 1024
"""Request line and headers together; longer ones are answered 431."""
TARGET_BYTES: Final = 8 * 1024
"""Path and query; longer ones are answered 414. As long as a request line must be taken at least
(RFC 9112, section 3)."""
HEAD_SECONDS: Final = 10.0
"""From the first byte, or from the connection for its first request, to the end of the headers."""
HANDSHAKE_SECONDS: Final = 10.0
"""Of TLS."""
BODY_SECONDS: Final = 30.0
"""From the end of the headers to the end of the body."""
SEND_SECONDS: Final = 30.0
"""A client that takes nothing of its answer for so long is let go."""
IDLE_SECONDS: Final = 120.0
"""Between two requests on a kept connection."""
UNKNOWN_GIVES_WAY_SECONDS: Final = 1.0
GIVES_WAY_SECONDS: Final = 5.0
"""When all places are taken, a connection that waits for its client for longer makes room; sooner
if it was never answered well."""
BACKLOG: Final = 128
"""Connections that the kernel keeps until they are accepted."""
