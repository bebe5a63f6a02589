"""Fills the tables with many realistic payments, for demonstrations and measurements.

The one writer of money rows that does not come through the operations: it writes with COPY, with
the triggers asleep, what they would have let through, and keeps balances, tallies and usage itself.
Every transaction of it is complete and balanced, so it may be interrupted anywhere, and run again.

Nothing here is used by the product.
"""
