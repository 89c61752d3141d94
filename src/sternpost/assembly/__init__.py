"""Settings become backends, providers and services; the only place that chooses."""
