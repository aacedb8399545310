"""Small runs trained for the question, in 16 styles of log, each with its label written down before the verdict."""
