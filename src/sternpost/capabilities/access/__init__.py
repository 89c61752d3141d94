"""Who may use Sternpost: projects, API keys, sign-in and sessions; not what they do with it."""
