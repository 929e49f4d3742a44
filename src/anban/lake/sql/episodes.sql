-- Times to an event: from close to rebound, and from finding to close; what hasn't happened by the day is censored there.
WITH later AS (
    SELECT hazard, no - 1 AS before_no, found_on AS back_on
    FROM cycles_at
    WHERE no > 1
),
rebounds AS (
    SELECT
        'rebound' AS curve, c.hazard, c.no, c.ended_on, c.street, c.place_kind, c.class_code, c.proof, c.acceptor, c.inferred,
        date_diff('day', c.ended_on, COALESCE(l.back_on, $as_of)) AS days,
        CASE WHEN l.back_on IS NOT NULL THEN 1 ELSE 0 END AS event
    FROM cycles_at AS c
    LEFT JOIN later AS l ON l.hazard = c.hazard AND l.before_no = c.no
    WHERE c.ended_on IS NOT NULL AND c.proof <> ''
),
closings AS (
    SELECT
        'closing' AS curve, hazard, no, ended_on, street, place_kind, class_code, '' AS proof, acceptor, inferred,
        date_diff('day', found_on, COALESCE(ended_on, $as_of)) AS days,
        CASE WHEN ended_on IS NOT NULL THEN 1 ELSE 0 END AS event
    FROM cycles_at
),
both_kinds AS (
    SELECT * FROM rebounds
    UNION ALL
    SELECT * FROM closings
)
SELECT
    curve, hazard, no, ended_on, street, place_kind, class_code, proof, acceptor, inferred,
    least(greatest(days, 0), 365) AS days,
    CASE WHEN days > 365 THEN 0 ELSE event END AS event
FROM both_kinds
