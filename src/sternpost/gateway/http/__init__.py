"""The gateway's HTTP: ASGI app, request bodies, list of models; what a call does is in `flows/`."""
