"""The ASGI application, sign-in, the web app's files and the processes; no decisions of the product."""
