"""Where profiles live: the protocols, one backend per file, the chain that joins them, and atomic file writes."""
