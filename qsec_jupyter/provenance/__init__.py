"""Floor 2: what ran, as signed statements. Nothing is imported here: the kernel loads this package."""
