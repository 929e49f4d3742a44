-- The places of each street to be seen next, by the index.
WITH numbered AS (
    SELECT *, row_number() OVER (PARTITION BY street ORDER BY index_value DESC, place) AS nth
    FROM place_results
)
SELECT
    nth, id, street, area_path, kind, chance, index_value, daily, high_risk, last_day, days_unseen, visits, fails_730,
    fails_last3, known_last3, open_now, overdue_now, major_now, oldest_due, rebounds_365, repeats_365, calls_90, no_lead, reasons
FROM numbered
WHERE nth <= $most
ORDER BY street, nth
