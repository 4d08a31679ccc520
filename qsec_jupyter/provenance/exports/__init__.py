"""A recorded run in the forms that others read: Process Run Crate, W3C PROV, CycloneDX.

Each form is made by its own reference library, from the signed statements alone. Persons stay pseudonyms and
circuits stay digests: an export goes to others, and the evidence behind it does not go with it.
"""
