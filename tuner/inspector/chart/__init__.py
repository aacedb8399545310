"""What the inspector's charts show, and their Vega-Lite specifications."""
