-- What is being deleted, and the traces that were: what arrives late for them is not stored.
--
-- Statements of deletion name their traces by `deletion_id` and a subquery, so that no id of a person stands in the
-- engine's list of mutations. `day` is that of the request: the rows are dropped with the days of that time.
CREATE TABLE IF NOT EXISTS deleted_traces ${on_cluster}
(
    project_id   LowCardinality(String),
    trace_id     String CODEC(ZSTD(1)),
    deletion_id  LowCardinality(String),
    day          UInt32
)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY day
ORDER BY (project_id, trace_id, deletion_id)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1;

-- What a deletion has found so far, gone when it ends. kind: `candidate` and `kept` are messages, `gone` those that
-- no other span refers to, `bucket` the five minutes in which something is deleted.
CREATE TABLE IF NOT EXISTS deletion_items ${on_cluster}
(
    deletion_id  String,
    kind         LowCardinality(String),
    item         String CODEC(ZSTD(1))
)
ENGINE = ${replicated}ReplacingMergeTree
PARTITION BY deletion_id
ORDER BY (deletion_id, kind, item)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
