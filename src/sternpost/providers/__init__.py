"""Where models are reached: addresses, credentials and quirks; not the wire shapes."""
