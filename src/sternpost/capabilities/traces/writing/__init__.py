"""Carries calls and telemetry from the journal into the trace store, and deletes what is old."""
