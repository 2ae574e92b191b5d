"""Grafana's dashboards as pictures, and what their panels show, without a Grafana."""
