"""The trace store over ClickHouse's HTTP protocol, embedded engine or server; not the engine itself."""
