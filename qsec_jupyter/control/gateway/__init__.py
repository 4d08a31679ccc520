"""The gateway: calls a quantum provider for a kernel or program that never holds the provider's key."""
