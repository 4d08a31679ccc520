"""Where secrets come from: a Vault or OpenBao, or the embedded sealed store, behind one interface."""
