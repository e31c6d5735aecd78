"""Where results go besides the standard output: a job of GitHub Actions, a pull request, files. Values in."""
