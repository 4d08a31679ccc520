"""Floor 2: the tamper-evident log, its checkpoints, its keys, and how all of it is verified offline."""
