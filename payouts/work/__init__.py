"""What a worker does once it is rung: each loop claims, acts, and goes on until nothing is due.

No rule is decided here, every step is one operation. Celery is known to `alone` only.
"""
