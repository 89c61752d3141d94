"""Deletes a trace, or the traces of a session or an end user, for good; retention by age is `writing`'s."""
