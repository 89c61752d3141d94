"""Models, routes and providers as people see them; choosing a target for a call is the gateway's."""
