"""What the sandbox answers, one module a part of the provider's interface. Each has its table ``ROUTES``."""
