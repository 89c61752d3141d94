"""What belongs together: tool calls and results, tools and names, texts and citations; no wire format."""
