"""How foreign span attributes become our columns; the names are in `attributes.toml`."""
