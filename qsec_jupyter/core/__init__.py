"""Floor 1: the words that every other package shares."""
