"""Poll exporters, scrape Prometheus targets, normalise, write."""
