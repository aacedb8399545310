"""Where workers come to life on a cluster: each engine only starts and stops them; the study's storage is the truth."""
