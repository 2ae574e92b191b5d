"""The REST calls, what goes over the wire, and errors as problem+json."""
