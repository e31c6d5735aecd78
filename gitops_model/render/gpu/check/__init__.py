"""`gpu check` in text, JSON and Markdown."""
