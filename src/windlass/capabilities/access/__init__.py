"""Who may use Windlass: projects, API keys, sign-in and sessions; not what they do with it."""
