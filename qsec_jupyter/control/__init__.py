"""Floor 3: the control plane, the only place where policy is enforced."""
