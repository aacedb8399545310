"""Several workers of one study on this machine: the processes, and the one that starts, watches and stops them."""
