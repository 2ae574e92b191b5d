"""What people see of runs: tables, charts, texts, and the points that dashboards read."""
