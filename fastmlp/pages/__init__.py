"""Pages for a browser: one file each, or served on this machine, and never from the network."""
