"""Pickle streams as descriptions: nothing is imported, nothing is called."""
