"""Files, index, history and archives as they lie on disk: found, read, scanned and rewritten."""
