"""One module per job: plain values and a repository in, values out. Nothing here prints or reads the process."""
