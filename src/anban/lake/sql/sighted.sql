-- By which kinds of source each hazard of the last year was seen: visits, calls, alarms, blind checks. What a firm found itself, foreign
-- history and what proved unfounded or a double stand apart.
WITH heard AS (
    SELECT
        hazard,
        count(*) FILTER (WHERE origin IN ('inspection', 'patrol', 'campaign')) AS inspections,
        max(CASE WHEN origin IN ('report', 'ticket', 'whistleblower') THEN 1 ELSE 0 END) AS calls,
        max(CASE WHEN origin = 'alarm' THEN 1 ELSE 0 END) AS alarms,
        max(CASE WHEN origin = 'oversight' THEN 1 ELSE 0 END) AS checks
    FROM voices
    WHERE found_on <= $as_of
    GROUP BY hazard
),
blind AS (
    SELECT f.hazard, count(*) AS checks
    FROM findings AS f
    INNER JOIN visits AS v ON v.visit = f.visit
    WHERE v.kind = 'oversight' AND v.day <= $as_of
    GROUP BY f.hazard
),
told AS (
    SELECT
        h.hazard, h.id, h.street, h.place_kind, h.found_on,
        -- A hazard heard of once is told by its own origin: only what was heard again stands among the voices.
        COALESCE(v.inspections, CASE WHEN h.origin IN ('inspection', 'patrol', 'campaign') THEN 1 ELSE 0 END) AS inspections,
        COALESCE(v.calls, CASE WHEN h.origin IN ('report', 'ticket', 'whistleblower') THEN 1 ELSE 0 END) AS calls,
        COALESCE(v.alarms, CASE WHEN h.origin = 'alarm' THEN 1 ELSE 0 END) AS alarms,
        COALESCE(v.checks, CASE WHEN h.origin = 'oversight' THEN 1 ELSE 0 END) AS checks,
        COALESCE(b.checks, 0) AS checks_of_visits
    FROM hazards AS h
    LEFT JOIN heard AS v ON v.hazard = h.hazard
    LEFT JOIN blind AS b ON b.hazard = h.hazard
    WHERE h.found_on > $since_365 AND h.found_on <= $as_of AND NOT h.historical
        AND h.state NOT IN ('not_founded', 'merged')
)
SELECT
    hazard, id, street, place_kind, found_on,
    inspections > checks_of_visits AS by_visits,
    calls > 0 AS by_calls,
    alarms > 0 AS by_alarms,
    checks > 0 OR checks_of_visits > 0 AS by_checks
FROM told
