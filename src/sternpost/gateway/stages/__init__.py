"""The stages of a call, one module each, in the order `flow` names them."""
