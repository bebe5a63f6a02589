"""What is done to API clients, consumers and cards: the only writers of their rows.

One public function per thing, each in the file of its noun. No HTTP, no forms, no payments.
"""
