-- A reply is found by its id, to go on from it at the provider that made it. Parts written earlier have no such index
-- and are read through, until a merge gives it to them.
ALTER TABLE spans ${on_cluster} ADD INDEX IF NOT EXISTS response_bloom response_id TYPE bloom_filter(0.01) GRANULARITY 4;
