"""Settlement files of networks, read exactly: one module a format. Plain Python.

Nothing of Django or of the database, and nothing of how a file is made.
"""
