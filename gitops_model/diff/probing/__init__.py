"""How two models are given the same inputs, and how far apart their outputs may lie. Pure: nothing is run here."""
