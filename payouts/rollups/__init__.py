"""Rollups: what is counted, and how it is asked for. Nothing here writes, and no screen is here.

`sql` says once what a payment and an event count as; following, rebuilding, checking and asking are
all made of it, so they cannot mean different things.
"""
