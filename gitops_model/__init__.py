"""Review, release and roll back models that live in Git."""

__version__ = "0.1.0"
