"""The filter language of the traces list: its grammar, its SQL, and the search for traces that match."""
