"""The intake of foreign telemetry: OTLP bytes become spans in the journal; calls are not recorded here."""
