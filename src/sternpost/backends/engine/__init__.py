"""The embedded trace engine: chDB behind ClickHouse's HTTP protocol; not the schema and not the client."""
