"""A seeded generator of notebooks with planted secrets, written without sight of the scanner's rules.

What it knows of a secret is what its vendor and its client's documentation say, and what notebooks look
like. Every value is drawn anew from the seed; nothing here is a value that was ever issued.
"""
