"""Who may call what: addresses, keys, repeated requests."""
