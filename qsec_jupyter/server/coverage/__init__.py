"""Which ways a secret can take out of a notebook are covered, as things stand now."""
