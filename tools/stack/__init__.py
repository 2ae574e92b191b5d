"""The stack's commands, for a machine with a Docker engine and Python, nothing else."""
