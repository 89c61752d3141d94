"""The built-in answerer that needs no key and no network; it quotes, it is not a language model."""
