-- Times to an event: from close to rebound, and from finding to close; what hasn't happened by the day is censored there.
WITH numbered AS (
    SELECT
        street, place_kind, class_code, proof, acceptor, inferred, found_on, ended_on,
        lead(found_on) OVER (PARTITION BY hazard ORDER BY no) AS back_on
    FROM cycles_at
),
rebounds AS (
    SELECT
        'rebound' AS curve, street, place_kind, class_code, proof, acceptor, inferred,
        date_diff('day', ended_on, COALESCE(back_on, $as_of)) AS days,
        CASE WHEN back_on IS NOT NULL THEN 1 ELSE 0 END AS event
    FROM numbered
    WHERE ended_on IS NOT NULL AND proof <> ''
),
closings AS (
    SELECT
        'closing' AS curve, street, place_kind, class_code, '' AS proof, acceptor, inferred,
        date_diff('day', found_on, COALESCE(ended_on, $as_of)) AS days,
        CASE WHEN ended_on IS NOT NULL THEN 1 ELSE 0 END AS event
    FROM numbered
),
both_kinds AS (
    SELECT * FROM rebounds
    UNION ALL
    SELECT * FROM closings
)
SELECT
    curve, street, place_kind, class_code, proof, acceptor, inferred,
    least(greatest(days, 0), 365) AS days,
    CASE WHEN days > 365 THEN 0 ELSE event END AS event
FROM both_kinds
