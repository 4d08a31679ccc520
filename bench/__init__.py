"""What the product costs, as ratios against the same work without it."""
