"""Who may decide about what, what exactly is signed, and how a signature is verified later.

Which decisions a push needs is in `payouts.approvals`; deciding is an operation.
"""
