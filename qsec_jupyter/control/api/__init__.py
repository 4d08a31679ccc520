"""The control plane's REST: one router for each noun; ``docs/openapi.json`` is made of it."""
