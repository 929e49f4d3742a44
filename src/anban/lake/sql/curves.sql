-- Kaplan-Meier by group: the share not yet come back (rebound) or not yet closed (closing) after so many days, with
-- Greenwood's standard error. What was inferred from foreign history stands apart and is never mixed in.
WITH streets AS (
    SELECT s.path AS street, d.path AS district
    FROM areas AS s
    INNER JOIN areas AS d ON starts_with(s.path, d.path)
    WHERE d.level = 'district'
),
grouped AS (
    SELECT curve, inferred, 'all' AS what, '' AS name, days, event FROM episodes
    UNION ALL
    SELECT e.curve, e.inferred, 'area' AS what, s.district AS name, e.days, e.event
    FROM episodes AS e
    INNER JOIN streets AS s ON s.street = e.street
    UNION ALL
    SELECT curve, inferred, 'kind' AS what, place_kind AS name, days, event FROM episodes
    UNION ALL
    SELECT curve, inferred, 'class' AS what, class_code AS name, days, event FROM episodes
    UNION ALL
    SELECT curve, inferred, 'proof' AS what, proof AS name, days, event FROM episodes WHERE proof <> ''
    UNION ALL
    SELECT curve, inferred, 'inspector' AS what, CAST(acceptor AS VARCHAR) AS name, days, event
    FROM episodes
    WHERE acceptor IS NOT NULL
),
counted AS (
    SELECT curve, inferred, what, name, days, CAST(sum(event) AS BIGINT) AS events, count(*) AS leaving
    FROM grouped
    GROUP BY curve, inferred, what, name, days
),
exposed AS (
    SELECT
        curve, inferred, what, name, days, events,
        CAST(sum(leaving) OVER (
            PARTITION BY curve, inferred, what, name ORDER BY days DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS BIGINT) AS at_risk
    FROM counted
),
summed AS (
    SELECT
        curve, inferred, what, name, days, events, at_risk,
        sum(CASE WHEN events < at_risk THEN ln(1e0 - CAST(events AS DOUBLE) / at_risk) ELSE 0e0 END) OVER (
            PARTITION BY curve, inferred, what, name ORDER BY days ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS log_share,
        sum(CASE WHEN events < at_risk THEN CAST(events AS DOUBLE) / at_risk / (at_risk - events) ELSE 0e0 END) OVER (
            PARTITION BY curve, inferred, what, name ORDER BY days ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS greenwood,
        max(CASE WHEN events >= at_risk THEN 1 ELSE 0 END) OVER (
            PARTITION BY curve, inferred, what, name ORDER BY days ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS emptied
    FROM exposed
)
SELECT
    curve, inferred, what, name, days, events, at_risk,
    CASE WHEN emptied = 1 THEN 0e0 ELSE exp(log_share) END AS share,
    CASE WHEN emptied = 1 THEN 0e0 ELSE exp(log_share) * sqrt(greenwood) END AS error
FROM summed
ORDER BY curve, inferred, what, name, days
