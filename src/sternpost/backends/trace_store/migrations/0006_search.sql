-- What the search of the traces list needs: which traces hold a message, and which are costly, without reading all.
--
-- Parts written earlier are read through, until the engine has added the index to them, which it does beside its work.
-- One index over both: of two that are joined by OR, the engine uses neither well.
ALTER TABLE spans ${on_cluster} ADD INDEX IF NOT EXISTS hash_bloom arrayConcat(input_hashes, output_hashes)
    TYPE bloom_filter(0.001) GRANULARITY 2;
ALTER TABLE spans ${on_cluster} MATERIALIZE INDEX hash_bloom SETTINGS mutations_sync = 0;

-- Sums of each insert by trace. A span written twice, or told by two, is in them twice: what a trace's sum here does
-- not reach, its real sum does not reach either. Readers find candidates by them and judge those by their spans.
CREATE TABLE IF NOT EXISTS trace_sums ${on_cluster}
(
    project_id        LowCardinality(String),
    day               UInt32,                                       -- yyyymmdd of the spans, dropped with them
    first_started_ns  Int64 CODEC(Delta(8), ZSTD(1)),
    trace_key         UInt64,                                       -- a hash of the trace's id, quick to group by
    trace_id          String CODEC(ZSTD(1)),
    cost_nanousd      Int64 CODEC(ZSTD(1)),
    tokens            UInt64 CODEC(T64, ZSTD(1)),
    cache_read        UInt64 CODEC(T64, ZSTD(1))
)
ENGINE = ${replicated}MergeTree
PARTITION BY day
ORDER BY (project_id, first_started_ns)
SETTINGS index_granularity = 8192, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS trace_sums_of_spans ${on_cluster} TO trace_sums AS
SELECT
    project_id,
    toYYYYMMDD(fromUnixTimestamp64Nano(started_ns, 'UTC')) AS day,
    min(started_ns) AS first_started_ns,
    cityHash64(trace_id) AS trace_key,
    trace_id,
    sum(greatest(coalesce(spans.cost_nanousd, 0), 0)) AS cost_nanousd,
    sum(in_fresh + in_cache_read + in_cache_write_5m + in_cache_write_1h + in_audio + in_image
        + out_text + out_reasoning + out_audio + out_image) AS tokens,
    sum(in_cache_read) AS cache_read
FROM spans
WHERE spans.cost_nanousd > 0 OR usage_source != ''
GROUP BY project_id, trace_id, day;

INSERT INTO trace_sums (
    project_id, day, first_started_ns, trace_key, trace_id, cost_nanousd, tokens, cache_read
)
SELECT
    project_id,
    toYYYYMMDD(fromUnixTimestamp64Nano(started_ns, 'UTC')) AS day,
    min(started_ns) AS first_started_ns,
    cityHash64(trace_id) AS trace_key,
    trace_id,
    sum(greatest(coalesce(spans.cost_nanousd, 0), 0)) AS cost_nanousd,
    sum(in_fresh + in_cache_read + in_cache_write_5m + in_cache_write_1h + in_audio + in_image
        + out_text + out_reasoning + out_audio + out_image) AS tokens,
    sum(in_cache_read) AS cache_read
FROM spans
WHERE spans.cost_nanousd > 0 OR usage_source != ''
GROUP BY project_id, trace_id, day
SETTINGS max_partitions_per_insert_block = 0;

-- Sums of half a minute, for overviews of an hour and less, go a day after they were built: all of one building at once.
ALTER TABLE call_figures ${on_cluster} MODIFY TTL
    toDateTime(intDiv(built_ns, 1000000000)) + INTERVAL 1 DAY DELETE WHERE length_s < 300;
