"""From what a log holds to a ``Run``: tags, settings, method, schedule, restarts."""
