"""The runner as a service: runs, windows and scores over REST, one measured run at a time."""
