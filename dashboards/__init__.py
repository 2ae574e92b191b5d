"""Grafana's dashboards as code: ``make dashboards`` writes ``json/`` from the catalogue."""
