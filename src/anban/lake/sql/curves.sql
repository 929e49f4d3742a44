-- Kaplan-Meier by group: the share not yet come back (rebound) or not yet closed (closing) after so many days, with
-- Greenwood's standard error. What was inferred from foreign history stands apart and is never mixed in.
WITH streets AS (
    SELECT s.path AS street, d.path AS district
    FROM areas AS s
    INNER JOIN areas AS d ON starts_with(s.path, d.path)
    WHERE d.level = 'district'
),
counted AS (
    SELECT
        e.curve, e.inferred, s.district, e.place_kind, e.class_code, e.proof, e.acceptor, e.days,
        grouping(s.district) AS no_area, grouping(e.place_kind) AS no_kind, grouping(e.class_code) AS no_class,
        grouping(e.proof) AS no_proof, grouping(e.acceptor) AS no_inspector,
        CAST(sum(e.event) AS BIGINT) AS events, count(*) AS leaving
    FROM episodes AS e
    LEFT JOIN streets AS s ON s.street = e.street
    GROUP BY GROUPING SETS (
        (e.curve, e.inferred, e.days),
        (e.curve, e.inferred, e.days, s.district),
        (e.curve, e.inferred, e.days, e.place_kind),
        (e.curve, e.inferred, e.days, e.class_code),
        (e.curve, e.inferred, e.days, e.proof),
        (e.curve, e.inferred, e.days, e.acceptor)
    )
),
named AS (
    SELECT
        curve, inferred, days, events, leaving,
        CASE
            WHEN no_area = 0 THEN 'area' WHEN no_kind = 0 THEN 'kind' WHEN no_class = 0 THEN 'class'
            WHEN no_proof = 0 THEN 'proof' WHEN no_inspector = 0 THEN 'inspector' ELSE 'all'
        END AS what,
        CASE
            WHEN no_area = 0 THEN district WHEN no_kind = 0 THEN place_kind WHEN no_class = 0 THEN class_code
            WHEN no_proof = 0 THEN NULLIF(proof, '') WHEN no_inspector = 0 THEN CAST(acceptor AS VARCHAR) ELSE ''
        END AS name
    FROM counted
),
exposed AS (
    SELECT
        curve, inferred, what, name, days, events,
        CAST(sum(leaving) OVER (
            PARTITION BY curve, inferred, what, name ORDER BY days DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS BIGINT) AS at_risk
    FROM named
    WHERE name IS NOT NULL
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
