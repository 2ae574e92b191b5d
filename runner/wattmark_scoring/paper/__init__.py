"""The published tables of arXiv 2310.09554 (Waltsburger et al., ISCAS 2023), and what their inputs
give when they are computed again.

``published.csv``: Tables I to III as printed. ``sizes.csv``: parameters (M) and MACs (G) of the
eight networks in the documentation of keras.applications, and exact counts of the models.
"""

from wattmark_scoring.paper.cells import Cell, Match, recompute
from wattmark_scoring.paper.published import HOSTS, MODELS, Host, PaperNetwork

__all__ = ["HOSTS", "MODELS", "Cell", "Host", "Match", "PaperNetwork", "recompute"]
