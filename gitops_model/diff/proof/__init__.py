"""Proof that two graphs compute the same function, and what is known to be equal where they do not.

A graph is turned into expressions in one table that both models share: equal expressions are one entry. Names, order,
dead nodes and the place of a constant vanish on the way; rules (gitops_model/diff/rewrites) bring known ways of writing
the same thing to one form. What is left unequal is compared pairwise from the outputs (`compare`), where constants that
one side computed beforehand are computed here too.
"""
