"""From the stored samples of a run's windows to its checks and scores."""
