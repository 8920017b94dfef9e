-- What makes one row bad, each a condition on the typed row t, named <field>__<reason>. %(as_of)s is the extract's day.
-- The conditions on numbers and dates agree with khien.population.rules (tests/population/test_load_agreement.py).

-- name: personal_number__digits_only
t.personal_number ~ '[^0-9]'
-- name: personal_number__eleven_digits
t.personal_number ~ '^[0-9]{11}$'
-- name: personal_number__twelve_digits
length(t.personal_number) NOT IN (11, 12) AND t.personal_number !~ '[^0-9]'
-- name: name__missing
t.name IS NULL
-- name: name__no_letter
t.name !~ '[[:alpha:]]'
-- name: birth_date__missing
t.birth_text IS NULL
-- name: birth_date__no_date
t.birth_text IS NOT NULL AND (t.birth_date IS NULL OR t.birth_date NOT BETWEEN '1850-01-01' AND '2399-12-31')
-- name: birth_date__future
t.birth_date > %(as_of)s
-- name: sex__unknown_value
t.sex NOT IN ('male', 'female', 'other', 'unknown')
-- name: nationality__unknown_value
t.nationality !~ '^[A-Z]{3}$'
-- name: old_number__nine_digits
t.old_number !~ '^[0-9]{9}$'
-- name: insurance_number__insurance_form
t.insurance_number !~ '^([A-Z]{2}[0-9]{3})?[0-9]{10}$'
-- name: card_kind__unknown_value
t.card_kind NOT IN ('cmnd', 'cccd', 'cccd_chip', 'can_cuoc')
-- name: card_kind__card_without_number
t.card_kind IS NOT NULL AND CASE t.card_kind WHEN 'cmnd' THEN coalesce(t.old_number, t.personal_number)
    ELSE t.personal_number END IS NULL
-- name: card_issued_on__missing
t.card_kind IS NOT NULL AND t.card_issued_text IS NULL
-- name: card_issued_on__no_date
t.card_issued_text IS NOT NULL AND t.card_issued_on IS NULL
-- name: card_expires_on__no_date
t.card_expires_text IS NOT NULL AND t.card_expires_on IS NULL
-- name: card_expires_on__reversed
t.card_expires_on < t.card_issued_on
-- name: relation__unknown_value
t.relation NOT IN ('head', 'spouse', 'child', 'parent', 'sibling', 'grandparent', 'grandchild', 'other')
-- name: commune__missing
t.commune IS NULL
-- name: commune__no_commune
t.commune IS NOT NULL AND t.permanent_unit IS NULL
-- name: temporary_commune__no_commune
t.temporary_commune IS NOT NULL AND t.temporary_unit IS NULL
-- name: temporary_commune__missing
t.temporary_commune IS NULL AND (t.temporary_from_text IS NOT NULL OR t.temporary_until_text IS NOT NULL)
-- name: temporary_from__no_date
t.temporary_from_text IS NOT NULL AND t.temporary_from IS NULL
-- name: temporary_until__no_date
t.temporary_until_text IS NOT NULL AND t.temporary_until IS NULL
-- name: temporary_until__too_late
t.temporary_until > '2399-12-31'
-- name: temporary_until__reversed
t.temporary_until < coalesce(t.temporary_from, t.birth_date)
-- name: stay_commune__no_commune
t.stay_commune IS NOT NULL AND t.stay_unit IS NULL
-- name: stay_commune__missing
t.stay_commune IS NULL AND (t.stay_from_text IS NOT NULL OR t.stay_until_text IS NOT NULL)
-- name: stay_from__no_date
t.stay_from_text IS NOT NULL AND t.stay_from IS NULL
-- name: stay_until__no_date
t.stay_until_text IS NOT NULL AND t.stay_until IS NULL
-- name: stay_until__too_late
t.stay_until > '2399-12-31'
-- name: stay_until__reversed
t.stay_until < coalesce(t.stay_from, t.birth_date)
-- name: absent_from__missing
t.absent_from_text IS NULL AND t.absent_until_text IS NOT NULL
-- name: absent_from__no_date
t.absent_from_text IS NOT NULL AND t.absent_from IS NULL
-- name: absent_until__no_date
t.absent_until_text IS NOT NULL AND t.absent_until IS NULL
-- name: absent_until__too_late
t.absent_until > '2399-12-31'
-- name: absent_until__reversed
t.absent_until < t.absent_from
-- name: died_on__no_date
t.died_text IS NOT NULL AND t.died_on IS NULL
-- name: died_on__before_birth
t.died_on < t.birth_date
-- name: died_on__future
t.died_on > %(as_of)s
