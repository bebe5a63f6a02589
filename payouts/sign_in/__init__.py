"""How staff come in: name and password, a second factor, and what a session may then do.

django-allauth does the steps; here is what we ask of it. A session that has not shown a second
factor reaches nothing but the pages that set one up (`middleware.py`). Nothing about payments
belongs here, and nothing here writes: that is for `payouts/operations`.
"""
