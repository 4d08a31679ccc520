"""Floor 2: finds secrets in notebooks and text, and puts markers in their place."""
