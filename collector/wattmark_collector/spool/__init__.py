"""A queue on disk between the pollers and a store that may be away."""
