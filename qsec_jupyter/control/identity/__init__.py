"""Who asks, when it is no person at a panel: workloads with an identity of their own, tools with a bearer."""
