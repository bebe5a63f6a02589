"""`make bench`: what the product does per second on this machine, next to its database's own limit.

Loads come from packaged tools, wrk and pgbench, in processes of their own. Ratios between rows of
one run mean something; a figure alone says as much about the machine as about the product.
"""
