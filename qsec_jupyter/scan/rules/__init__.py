"""Rules: what a credential looks like, as readable TOML, one file a vendor family."""
