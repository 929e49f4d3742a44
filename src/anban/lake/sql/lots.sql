-- Which places stand in the first tenth of the whole city's order, and which are drawn by lot (双随机): of each street's list (a tenth
-- of its places, at most so many) a tenth, one at least, is drawn from all that the order does not put first. The lot is the order of
-- SHA-256 over seed, day and id, so that whoever knows the seed can draw again (lake/ranking/choosing.py says the same in Python).
WITH ordered AS (
    SELECT
        p.place, p.id, p.street,
        row_number() OVER (PARTITION BY p.street ORDER BY s.index_value DESC, p.place) AS nth,
        row_number() OVER (ORDER BY s.index_value DESC, p.place) AS nth_of_all
    FROM places_at AS p
    INNER JOIN scores AS s ON s.place = p.place
),
streets AS (
    SELECT street, count(*) AS places
    FROM ordered
    GROUP BY street
),
lists AS (
    SELECT street, least((places + 9 - (places + 9) % 10) / 10, $most) AS listed
    FROM streets
),
shares AS (
    SELECT street, listed - CAST((listed + 9 - (listed + 9) % 10) / 10 AS BIGINT) AS by_order, listed
    FROM lists
),
others AS (
    SELECT
        o.place, o.street, s.listed - s.by_order AS by_lot,
        sha256($seed || '|' || CAST($as_of AS VARCHAR) || '|' || o.id) AS lot
    FROM ordered AS o
    INNER JOIN shares AS s ON s.street = o.street
    WHERE o.nth > s.by_order
),
drawn AS (
    SELECT place, by_lot, lot, row_number() OVER (PARTITION BY street ORDER BY lot, place) AS nth
    FROM others
),
everything AS (
    SELECT sum(places) AS places
    FROM streets
)
SELECT
    o.place, (o.nth_of_all - 1) * 10 < e.places AS is_first_tenth, d.place IS NOT NULL AS is_drawn, d.lot
FROM ordered AS o
CROSS JOIN everything AS e
LEFT JOIN drawn AS d ON d.place = o.place AND d.nth <= d.by_lot
WHERE (o.nth_of_all - 1) * 10 < e.places OR d.place IS NOT NULL
