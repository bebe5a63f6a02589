"""People at Debian's Chromium, in front of the whole product: `make browser`.

Everything is real: the demo with its worker, its database and the sandbox network runs in a folder
of its own, and a test knows no more of it than what stands on the screen.
"""
