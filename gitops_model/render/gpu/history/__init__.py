"""`gpu history` in text and JSON."""
