-- Where a trace begins and ends whatever single clocks say, what its cache saved, and scores that wait for their call.
--
-- Spans whose times can't be right are flagged when they arrive, and stand for no bound of their trace. A trace begins
-- with its root, where it has one: a child of a wrong clock may seem to begin hours before.
ALTER TABLE spans ${on_cluster} ADD COLUMN IF NOT EXISTS is_time_skewed Bool AFTER ended_ns;

-- 9223372036854775807 stands for none, also in rows from before: those begin where their first span does.
ALTER TABLE trace_times ${on_cluster}
    ADD COLUMN IF NOT EXISTS root_started_ns SimpleAggregateFunction(min, Int64) DEFAULT 9223372036854775807,
    ADD COLUMN IF NOT EXISTS straight_started_ns SimpleAggregateFunction(min, Int64) DEFAULT 9223372036854775807;
ALTER TABLE trace_times_of_spans ${on_cluster} MODIFY QUERY
SELECT
    project_id,
    trace_id,
    toYYYYMMDD(fromUnixTimestamp64Nano(started_ns, 'UTC')) AS day,
    min(started_ns) AS first_started_ns,
    max(started_ns) AS last_started_ns,
    max(ended_ns) AS last_ended_ns,
    min(if(parent_span_id = '' AND NOT is_time_skewed, started_ns, 9223372036854775807)) AS root_started_ns,
    min(if(is_time_skewed, 9223372036854775807, started_ns)) AS straight_started_ns
FROM spans
GROUP BY project_id, trace_id, day;

-- Of rows from before nothing is known: a million dollars, so that they are looked at.
ALTER TABLE trace_sums ${on_cluster}
    ADD COLUMN IF NOT EXISTS saved_nanousd Int64 DEFAULT 1000000000000000 CODEC(ZSTD(1));
ALTER TABLE trace_sums_of_spans ${on_cluster} MODIFY QUERY
SELECT
    project_id,
    toYYYYMMDD(fromUnixTimestamp64Nano(started_ns, 'UTC')) AS day,
    min(started_ns) AS first_started_ns,
    cityHash64(trace_id) AS trace_key,
    trace_id,
    sum(greatest(coalesce(spans.cost_nanousd, 0), 0)) AS cost_nanousd,
    sum(in_fresh + in_cache_read + in_cache_write_5m + in_cache_write_1h + in_audio + in_image
        + out_text + out_reasoning + out_audio + out_image) AS tokens,
    sum(in_cache_read) AS cache_read,
    sum(greatest(coalesce(cache_saved_nanousd, 0), 0)) AS saved_nanousd
FROM spans
WHERE spans.cost_nanousd > 0 OR usage_source != ''
GROUP BY project_id, trace_id, day;

-- Which spans have an attribute of a value; `mapValues`, as names are the same on most spans.
ALTER TABLE spans ${on_cluster} ADD INDEX IF NOT EXISTS attribute_bloom mapValues(attributes)
    TYPE bloom_filter(0.01) GRANULARITY 2;
ALTER TABLE spans ${on_cluster} MATERIALIZE INDEX attribute_bloom SETTINGS mutations_sync = 0;

-- Scores that name only the id of a reply, until the span of that call is there: for a day, then they are dropped.
-- is_settled: the score stands in `scores`; that row of the two is the one that stays.
CREATE TABLE IF NOT EXISTS waiting_scores ${on_cluster}
(
    project_id       LowCardinality(String),
    response_id      String CODEC(ZSTD(1)),
    score_id         String CODEC(ZSTD(1)),
    day              UInt32,                                        -- yyyymmdd of created_ns
    received_ns      Int64 DEFAULT toUnixTimestamp64Nano(now64(9)),
    name             LowCardinality(String),
    kind             LowCardinality(String),
    source           LowCardinality(String),
    created_ns       Int64,
    value            Nullable(Float64),
    label            String CODEC(ZSTD(1)),
    explanation      String CODEC(ZSTD(1)),
    author           LowCardinality(String),
    unscored_reason  LowCardinality(String),
    is_settled       UInt8
)
ENGINE = ${replicated}ReplacingMergeTree(is_settled)
PARTITION BY day
ORDER BY (project_id, response_id, score_id)
TTL toDateTime(intDiv(received_ns, 1000000000)) + INTERVAL 2 DAY
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1;
