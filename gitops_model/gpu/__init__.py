"""Will a release run on a GPU machine: what it needs is found, what the machine has is probed, and the two compared."""
