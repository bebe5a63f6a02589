"""Telling partners: what an event looks like, how it is signed, whom we connect to, and sending it.

What is kept and when something is tried again is for the operations to say; this room reads no
request of ours and writes no row. It is the only one besides the networks that opens connections.
"""
