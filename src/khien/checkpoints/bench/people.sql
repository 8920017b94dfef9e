-- name: names
-- A few thousand names with their keys, so that a hundred million people need no name folded.
CREATE TEMP TABLE bench_name AS
SELECT row_number() OVER (ORDER BY f.n, m.n, g.n) - 1 AS n, concat_ws(' ', f.w, m.w, g.w) AS name,
       khien_name_key(concat_ws(' ', f.w, m.w, g.w)) AS name_key
FROM unnest('{Nguyễn,Trần,Lê,Phạm,Hoàng,Phan,Vũ,Đặng,Bùi,Đỗ,Hồ,Ngô,Dương,Lý}'::text[]) WITH ORDINALITY AS f (w, n),
     unnest('{Văn,Thị,Hữu,Đức,Ngọc,Minh,Thanh,Quốc,Thị Hồng,Thị Mỹ}'::text[]) WITH ORDINALITY AS m (w, n),
     unnest('{An,Ánh,Bình,Châu,Chi,Cường,Dũng,Duyên,Đạt,Giang,Hà,Hải,Hạnh,Hiếu,Hoa,Hòa,Hùng,Hương,Khánh,Lan,Linh,Loan,'
            'Long,Mai,Nam,Nga,Nhung,Phong,Phúc,Quân,Sơn,Tâm,Thảo,Thủy,Trang,Trung,Tuấn,Vân,Việt,Yến}'::text[])
        WITH ORDINALITY AS g (w, n);

-- name: master_data
-- A country of 100 communes, a vaccine, and a checkpoint with one device a client.
INSERT INTO unit_system (system, country, first_id, source, version) VALUES ('BENCH', '', 910000000, 'bench', '1');
INSERT INTO unit (unit_id, last_id, system, code, level, kind, name, name_folded, parent_id, valid)
SELECT 910000000 + n, CASE n WHEN 0 THEN 910000100 ELSE 910000000 + n END, 'BENCH', 'B' || n,
       CASE n WHEN 0 THEN 0 ELSE 3 END, 'xa', 'Xã ' || n, 'xa ' || n, CASE n WHEN 0 THEN NULL ELSE 910000000 END,
       '[2000-01-01,)'
FROM generate_series(0, 100) n ORDER BY n;
INSERT INTO vaccine_product (product, name, disease, licensed_on, primary_doses)
VALUES ('bench', 'Bench', 'covid-19', '2021-02-01', 2) ON CONFLICT DO NOTHING;
INSERT INTO checkpoint (code, name, unit_id) VALUES ('BENCH', 'Bench', 910000001);

-- name: people
-- People number `first` to `last`. The prime spreads the numbers, so that neighbours in time are not neighbours in the index.
INSERT INTO person (person_id, name, name_key, birth_date, sex, home_unit, present_unit)
SELECT i, b.name, b.name_key, date '1930-01-01' + mod(i * 7919, 33000)::integer,
       CASE mod(i, 2) WHEN 0 THEN 'male' ELSE 'female' END, 910000001 + mod(i, 100), 910000001 + mod(i, 100)
FROM generate_series(%(first)s::bigint, %(last)s::bigint) i JOIN bench_name b ON b.n = mod(i * 31, (SELECT count(*) FROM bench_name));

-- name: numbers
INSERT INTO identifier (kind, value, person_id)
SELECT 'personal_number', lpad(mod(i * 48271, 99999999977)::text, 12, '0'), i
FROM generate_series(%(first)s::bigint, %(last)s::bigint) i;

-- name: doses
-- Every tenth has two doses.
INSERT INTO dose (person_id, client_id, product, given_on, recorded_at)
SELECT i, gen_random_uuid(), 'bench', date '2021-07-01' + (28 * d)::integer, now()
FROM generate_series(%(first)s::bigint, %(last)s::bigint, 10) i, generate_series(0, 1) d;

-- name: all_names
SELECT name FROM bench_name ORDER BY n;

-- name: enrol
INSERT INTO device (checkpoint_id, label, public_key, added_at)
SELECT checkpoint_id, 'bench', %(key)s, now() FROM checkpoint WHERE code = 'BENCH' RETURNING device_id;

-- name: reference_table
-- What a plain server would write for each check. In a schema of its own, so that the register's policies leave it alone.
CREATE SCHEMA IF NOT EXISTS bench;
GRANT USAGE ON SCHEMA bench TO khien_loader;
DROP TABLE IF EXISTS bench.check_log;
CREATE TABLE bench.check_log (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL,
    device    integer NOT NULL,
    person_id bigint,
    verdict   text NOT NULL
);
GRANT SELECT, INSERT ON bench.check_log TO khien_loader;
