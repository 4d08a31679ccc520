"""The readable policy bundle (``*.cedar``, ``catalog.toml``) and the engine that decides by it."""
