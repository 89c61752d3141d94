"""What an application imports: traces, retrievals, tools, feedback; nothing of the server's."""
