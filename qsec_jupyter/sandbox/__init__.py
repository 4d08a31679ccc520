"""A quantum provider that runs on a laptop: for demos, training and tests. It is a sandbox and says so."""
