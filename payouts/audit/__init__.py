"""The chain over everything that is written once, and how anybody can tell that it still holds.

`sources` says what is covered and which bytes are hashed, `chain` reads blocks, `rows` hashes what
they cover, `verify` puts the two together, `state` is for screens. All of it reads only: the one
that writes blocks is `payouts.operations.link_audit`, and entries come from `consumers.audit`.
"""
