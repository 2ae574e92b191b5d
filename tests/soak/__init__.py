"""``make soak``: an hour of runs, windows and clients while parts are killed, stopped, filled and
damaged, and at its end an account of what was lost or left behind."""
