"""What ``tuner check`` finds out about a study before hours are spent."""
