"""Finding pushes: what a line of text may mean, what a list is asked for, which index bears it.

Nothing is written here; what a person keeps of a list is stored by operations.
"""
