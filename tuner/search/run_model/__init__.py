"""One model of the run: how its end depends on its settings, and what to train next."""
