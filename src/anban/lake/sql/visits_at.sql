-- Visits up to the day, each at the place that is left of merged ones.
SELECT COALESCE(a.survivor, v.place) AS place, v.visit, v.day, v.kind, v.result, v.body
FROM visits AS v
LEFT JOIN absorbed AS a ON a.place = v.place
WHERE v.day <= $as_of
