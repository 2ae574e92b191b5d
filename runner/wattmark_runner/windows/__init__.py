"""Windows: their edges, the samples forced at them, and which of them share time."""
