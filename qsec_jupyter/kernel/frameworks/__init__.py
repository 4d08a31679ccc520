"""One module for each quantum framework that runs are recorded of."""
