"""Any test suite, with and without our hooks: ``pytest -p qsec_jupyter.testing.under_hooks``."""
