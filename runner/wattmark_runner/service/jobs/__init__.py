"""What the service does beside answering: the queue of runs, scoring, windows from elsewhere."""
