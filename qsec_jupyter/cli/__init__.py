"""Floor 4: the command line, one module per command, imported when called."""
