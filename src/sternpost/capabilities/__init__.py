"""One folder per capability; they share nouns through `contracts` and never import each other."""
