-- How many hazards of the last year each set of sources saw, by street and kind of place: what the range of unseen hazards is made of.
SELECT street, place_kind, by_visits, by_calls, by_alarms, by_checks, count(*) AS hazards
FROM sighted
WHERE by_visits OR by_calls OR by_alarms OR by_checks
GROUP BY street, place_kind, by_visits, by_calls, by_alarms, by_checks
ORDER BY street, place_kind, by_visits, by_calls, by_alarms, by_checks
