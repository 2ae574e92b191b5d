"""Errors of the collector beside those of ``wattmark_core.errors``; none reaches a user."""


class DamagedRecord(Exception):
    """The bytes are no whole record of the spool."""
