"""Energy of a window, checks, uncertainty, scores, ranking: pure functions on arrays."""
