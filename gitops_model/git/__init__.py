"""Everything that touches git: the only package that starts it.

`Repository.open(cwd, environ)` is the door. Paths are text with undecodable bytes as surrogates (`paths.text`), object
ids are lower-case hex of the repository's own length, and a place is a revision, `INDEX` or `WORKTREE`.

The git command line serves whatever libgit2 lacks or refuses, and short work: a git process takes 3 to 5 ms where
importing pygit2 takes 90. pygit2 reads and writes small objects once there are many of them.
"""
