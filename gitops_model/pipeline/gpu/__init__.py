"""The GPU gate: what a release needs, what machines have, the verdict, and the record of it."""
