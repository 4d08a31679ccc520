"""Floor 3, in the user's kernel: credentials on demand, redaction on the way out, a record of each run.

Nothing here enforces. Code in the same process can undo any of it; what it does is keep accidents
from happening, tell the control plane what the kernel says it did, and refuse politely.
"""
