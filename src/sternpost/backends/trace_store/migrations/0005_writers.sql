-- Which key sent a span; '' for what Sternpost itself saw of a call, and for spans from before.
--
-- A part of the sort key: a merge keeps one row of those that are equal in all of it, so no key can replace what
-- another wrote, nor the gateway's own spans, by sending the same ids and times.

ALTER TABLE spans ${on_cluster}
    ADD COLUMN IF NOT EXISTS written_by LowCardinality(String) AFTER received_ns,
    MODIFY ORDER BY (project_id, started_ns, trace_id, span_id, written_by);
