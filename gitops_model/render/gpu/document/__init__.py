"""Requirements and targets, in the two spellings that `gpu check` reads."""
