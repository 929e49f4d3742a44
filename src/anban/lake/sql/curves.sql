-- Kaplan-Meier by group: the share not yet come back (rebound) or not yet closed (closing) after so many days, with
-- Greenwood's standard error. What was inferred from foreign history stands apart and is never mixed in.
WITH streets AS (
    SELECT s.path AS street, d.path AS district
    FROM areas AS s
    INNER JOIN areas AS d ON starts_with(s.path, d.path)
    WHERE d.level = 'district'
),
counted AS (
    -- The rows are read once into small tables: the whole is a sum of the classes', a district's of its streets'.
    SELECT
        curve, inferred, days, street, place_kind, class_code, proof, acceptor,
        grouping(street) AS no_street, grouping(place_kind) AS no_kind, grouping(class_code) AS no_class,
        grouping(acceptor) AS no_inspector,
        CAST(sum(event) AS BIGINT) AS events, count(*) AS leaving
    FROM episodes
    GROUP BY GROUPING SETS (
        (curve, inferred, days, street),
        (curve, inferred, days, place_kind),
        (curve, inferred, days, class_code, proof),
        (curve, inferred, days, acceptor)
    )
),
named AS (
    SELECT curve, inferred, days, 'all' AS what, '' AS name, events, leaving FROM counted WHERE no_class = 0
    UNION ALL
    SELECT c.curve, c.inferred, c.days, 'area', s.district, c.events, c.leaving
    FROM counted AS c
    INNER JOIN streets AS s ON s.street = c.street
    WHERE c.no_street = 0
    UNION ALL
    SELECT curve, inferred, days, 'kind', place_kind, events, leaving FROM counted WHERE no_kind = 0
    UNION ALL
    SELECT curve, inferred, days, 'class', class_code, events, leaving FROM counted WHERE no_class = 0
    UNION ALL
    SELECT curve, inferred, days, 'proof', NULLIF(proof, ''), events, leaving FROM counted WHERE no_class = 0
    UNION ALL
    SELECT curve, inferred, days, 'inspector', CAST(acceptor AS VARCHAR), events, leaving FROM counted WHERE no_inspector = 0
),
together AS (
    SELECT
        curve, inferred, what, name, days, CAST(sum(events) AS BIGINT) AS events, CAST(sum(leaving) AS BIGINT) AS leaving
    FROM named
    WHERE name IS NOT NULL
    GROUP BY curve, inferred, what, name, days
),
exposed AS (
    SELECT
        curve, inferred, what, name, days, events,
        CAST(sum(leaving) OVER (
            PARTITION BY curve, inferred, what, name ORDER BY days DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS BIGINT) AS at_risk
    FROM together
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
