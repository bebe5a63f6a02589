"""Our books beside what networks and banks say: files read, lines told apart, days proven.

Nothing is written here; `payouts.operations.reconciliation` acts on what is found.
"""
