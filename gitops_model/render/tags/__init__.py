"""The list of release tags."""
