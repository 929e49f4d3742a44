-- The figures of each street and kind of place.
SELECT
    street, kind, overview_code,
    count(*) AS places,
    count(*) FILTER (WHERE is_never_seen) AS never_seen,
    count(*) FILTER (WHERE is_stale) AS stale,
    count(*) FILTER (WHERE is_overdue) AS overdue,
    count(*) FILTER (WHERE is_rebound) AS rebound,
    count(*) FILTER (WHERE is_repeat) AS repeated,
    count(*) FILTER (WHERE is_failing) AS failing,
    count(*) FILTER (WHERE is_burdened) AS burdened,
    count(*) FILTER (WHERE is_unled) AS unled,
    count(*) FILTER (WHERE is_unsettled) AS unsettled,
    count(*) FILTER (WHERE is_first_tenth) AS first_tenth,
    count(*) FILTER (WHERE is_drawn) AS drawn,
    CAST(sum(open_now) AS BIGINT) AS hazards_open,
    CAST(sum(overdue_now) AS BIGINT) AS hazards_overdue,
    CAST(sum(major_now) AS BIGINT) AS hazards_major,
    CAST(sum(found_365) AS BIGINT) AS hazards_found,
    CAST(sum(visits_365) AS BIGINT) AS visits,
    CAST(sum(checks_365) AS BIGINT) AS checks,
    median(days_unseen) AS median_unseen,
    avg(chance) AS mean_chance
FROM place_results
GROUP BY street, kind, overview_code
ORDER BY street, kind, overview_code
