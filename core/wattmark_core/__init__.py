"""The vocabulary that every room shares: units, metrics, samples, clocks, windows, errors."""
