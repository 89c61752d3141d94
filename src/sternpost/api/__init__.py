"""What the routes of all capabilities share: who asks, and the services they call; no route of its own."""
