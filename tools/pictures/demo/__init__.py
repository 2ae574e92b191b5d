"""A lab that does not exist, for pictures of dashboards: three hosts and their runs."""
