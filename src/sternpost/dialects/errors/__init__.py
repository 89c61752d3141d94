"""Error responses of providers: their class, when to retry, which fields were refused; knows no dialect."""
