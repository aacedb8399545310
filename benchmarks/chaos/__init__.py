"""Studies that are killed, cut off from their database, filled up and moved in time; and what is left of them."""
