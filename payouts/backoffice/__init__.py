"""Pages of the back office that are no lists of rows: issuing a push, deciding about pushes.

They stand inside the admin site and look like it. Each page authorises, shows, and calls one
operation; no rule about money and no SQL of a write belongs here.
"""
