"""git's own `pre-push`, where the framework is not used."""

from .model_notes_push import run

__all__ = ["run"]
