"""The flows of calls, one file for each kind; what a step does is in `stages/`."""
