-- The staged texts as typed values, without judging them: what cannot be converted is null beside its text.
-- {date:x} stands for the conversion of one column; each is written once, because every mention is computed again. Expanded by checking.py.
-- name: typed
SELECT r.line,
    {digits:personal_number} AS personal_number,
    upper({text:provisional_id}) AS provisional_id,
    {name} AS name,
    -- khien_fold without its regular expression, which single spaces do not need; kept the same by a test.
    translate(lower(normalize({name}, NFD) COLLATE pg_c_utf8),
        U&'\0111\0300\0301\0302\0303\0306\0308\0309\030a\030c\0323\0327\031b', 'd') AS folded,
    {text:birth_date} AS birth_text,
    {birth} AS birth_date,
    {precision} AS birth_precision,
    coalesce(lower({text:sex}), 'unknown') AS sex,
    upper({text:nationality}) AS nationality,
    {document:old_number} AS old_number,
    {document:insurance_number} AS insurance_number,
    lower({text:card_kind}) AS card_kind,
    {text:card_issued_on} AS card_issued_text, {date:card_issued_on} AS card_issued_on,
    {text:card_expires_on} AS card_expires_text, {date:card_expires_on} AS card_expires_on,
    {text:household} AS household,
    CASE WHEN {text:household} IS NOT NULL THEN coalesce(lower({text:relation}), 'other') END AS relation,
    {text:commune} AS commune, permanent.unit_id AS permanent_unit,
    coalesce({text:address}, '') AS address,
    {text:temporary_commune} AS temporary_commune, temporary.unit_id AS temporary_unit,
    coalesce({text:temporary_address}, '') AS temporary_address,
    {text:temporary_from} AS temporary_from_text, {date:temporary_from} AS temporary_from,
    {text:temporary_until} AS temporary_until_text, {date:temporary_until} AS temporary_until,
    {text:stay_commune} AS stay_commune, stay.unit_id AS stay_unit,
    coalesce({text:stay_address}, '') AS stay_address,
    {text:stay_from} AS stay_from_text, {date:stay_from} AS stay_from,
    {text:stay_until} AS stay_until_text, {date:stay_until} AS stay_until,
    {text:absent_from} AS absent_from_text, {date:absent_from} AS absent_from,
    {text:absent_until} AS absent_until_text, {date:absent_until} AS absent_until,
    {text:died_on} AS died_text, {date:died_on} AS died_on,
    {long}
FROM loading.raw r
LEFT JOIN loading.commune permanent ON permanent.code = {text:commune}
LEFT JOIN loading.commune temporary ON temporary.code = {text:temporary_commune}
LEFT JOIN loading.commune stay ON stay.code = {text:stay_commune}
