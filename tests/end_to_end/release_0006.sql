-- The database of the release whose last migration is 0006. `pg_dump --inserts --no-owner
-- --no-privileges` wrote it. Its comments and SET lines are removed. That release had imported a
-- file, corrected a voter, previewed a file, refused a file, and accepted a file that no worker has
-- claimed. test_previous_release.py holds its token.
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.admin (
    id integer NOT NULL,
    username text NOT NULL,
    password_hash text NOT NULL,
    created_at timestamp without time zone NOT NULL,
    role text NOT NULL,
    session_key text NOT NULL,
    disabled_at timestamp without time zone,
    signed_in_at timestamp without time zone
);
CREATE SEQUENCE public.admin_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.admin_id_seq OWNED BY public.admin.id;
CREATE TABLE public.api_token (
    id integer NOT NULL,
    name text NOT NULL,
    digest text NOT NULL,
    scopes text NOT NULL,
    created_at timestamp without time zone NOT NULL,
    revoked_at timestamp without time zone,
    expires_at timestamp without time zone,
    last_used_at timestamp without time zone
);
CREATE SEQUENCE public.api_token_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.api_token_id_seq OWNED BY public.api_token.id;
CREATE TABLE public.job (
    id uuid NOT NULL,
    state text NOT NULL,
    dry_run boolean NOT NULL,
    options jsonb NOT NULL,
    uploaded_by text NOT NULL,
    attempts integer NOT NULL,
    deaths integer NOT NULL,
    worker text NOT NULL,
    created_at timestamp without time zone NOT NULL,
    started_at timestamp without time zone,
    finished_at timestamp without time zone,
    not_before timestamp without time zone NOT NULL,
    lease_expires_at timestamp without time zone,
    phase text NOT NULL,
    rows_read integer NOT NULL,
    percent real,
    file_key text NOT NULL,
    file_name text NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 text NOT NULL,
    format text NOT NULL,
    encoding text,
    delimiter text,
    sheet text,
    report jsonb,
    rejects_key text,
    files_purged_at timestamp without time zone,
    error_code text,
    error_message text,
    report_mail text NOT NULL,
    report_mail_attempts integer NOT NULL,
    report_mail_due_at timestamp without time zone,
    report_mail_error text,
    report_mail_sent_at timestamp without time zone,
    idempotency_key text,
    duplicate_of uuid,
    preview_of uuid,
    retry_of uuid,
    roll_version bigint,
    cancelled_by text,
    webhook text DEFAULT 'none'::text NOT NULL,
    webhook_attempts integer DEFAULT 0 NOT NULL,
    webhook_due_at timestamp without time zone,
    webhook_error text,
    webhook_sent_at timestamp without time zone,
    CONSTRAINT job_check CHECK (((state = ANY (ARRAY['SUCCESS'::text, 'FAILURE'::text, 'REVOKED'::text])) = (finished_at IS NOT NULL))),
    CONSTRAINT job_check1 CHECK (((state = 'STARTED'::text) = (lease_expires_at IS NOT NULL))),
    CONSTRAINT job_check2 CHECK (((state <> 'STARTED'::text) OR (started_at IS NOT NULL))),
    CONSTRAINT job_check3 CHECK (((state = 'SUCCESS'::text) = (report IS NOT NULL))),
    CONSTRAINT job_check4 CHECK (((state = 'FAILURE'::text) = (error_code IS NOT NULL))),
    CONSTRAINT job_report_mail_check CHECK ((report_mail = ANY (ARRAY['none'::text, 'pending'::text, 'sent'::text, 'failed'::text]))),
    CONSTRAINT job_state_check CHECK ((state = ANY (ARRAY['PENDING'::text, 'STARTED'::text, 'RETRY'::text, 'SUCCESS'::text, 'FAILURE'::text, 'REVOKED'::text]))),
    CONSTRAINT job_webhook_check CHECK ((webhook = ANY (ARRAY['none'::text, 'pending'::text, 'sent'::text, 'failed'::text])))
);
CREATE TABLE public.job_fault (
    job uuid NOT NULL,
    number integer NOT NULL,
    line integer NOT NULL,
    column_label text NOT NULL,
    code text NOT NULL,
    value text NOT NULL,
    message text NOT NULL
);
CREATE TABLE public.rate_count (
    kind text NOT NULL,
    subject text NOT NULL,
    count integer NOT NULL,
    ends_at timestamp without time zone NOT NULL
);
CREATE TABLE public.roll (
    id integer NOT NULL,
    version bigint NOT NULL,
    changed_at timestamp without time zone NOT NULL
);
CREATE TABLE public.schema_migration (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    applied timestamp without time zone NOT NULL
);
CREATE SEQUENCE public.schema_migration_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.schema_migration_id_seq OWNED BY public.schema_migration.id;
CREATE TABLE public.stored_chunk (
    key text NOT NULL,
    number integer NOT NULL,
    data bytea NOT NULL,
    stored_at timestamp without time zone NOT NULL
);
CREATE TABLE public.voter (
    student_id text NOT NULL COLLATE pg_catalog."C",
    first_name text NOT NULL,
    last_name text NOT NULL,
    email text NOT NULL,
    department text NOT NULL,
    year smallint,
    is_eligible boolean NOT NULL,
    CONSTRAINT voter_year_check CHECK (((year >= 1) AND (year <= 12)))
);
CREATE TABLE public.voter_history (
    id bigint NOT NULL,
    student_id text NOT NULL COLLATE pg_catalog."C",
    first_name text NOT NULL,
    last_name text NOT NULL,
    email text NOT NULL,
    department text NOT NULL,
    year smallint,
    is_eligible boolean NOT NULL,
    changed_at timestamp without time zone NOT NULL,
    changed_by text NOT NULL,
    reason text NOT NULL,
    job_id uuid
);
CREATE SEQUENCE public.voter_history_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.voter_history_id_seq OWNED BY public.voter_history.id;
ALTER TABLE ONLY public.admin ALTER COLUMN id SET DEFAULT nextval('public.admin_id_seq'::regclass);
ALTER TABLE ONLY public.api_token ALTER COLUMN id SET DEFAULT nextval('public.api_token_id_seq'::regclass);
ALTER TABLE ONLY public.schema_migration ALTER COLUMN id SET DEFAULT nextval('public.schema_migration_id_seq'::regclass);
ALTER TABLE ONLY public.voter_history ALTER COLUMN id SET DEFAULT nextval('public.voter_history_id_seq'::regclass);
INSERT INTO public.admin VALUES (1, 'officer', 'scrypt:32768:8:1$zx7oW3RZg4ftGro5$a71c62c14c8cb5b2396068c462b2217543362b6c2b83f5c59069d8db73bbc60b389eca9cc90b333ff08c61777833d739a653d22f1cf5d0945c49f48fc9b83d13', '2026-11-26 06:12:18.324531', 'admin', 'W1k3_dWTNQGFpJohLrguuQ', NULL, NULL);
INSERT INTO public.api_token VALUES (1, 'tests', '217f34db7763ab6a2d6d4076ce76238a8011e49a6e5802ca96b495c20e6ebb34', 'import read', '2026-11-26 06:12:01.768447', NULL, NULL, NULL);
INSERT INTO public.api_token VALUES (2, 'registrar', '50e6f2fa666a02c5c5b2628bae933e4ed38f9bf8eb7ffec3930a8a2b36cc3ae2', 'admin', '2026-11-26 06:12:07.588076', NULL, NULL, '2026-11-26 06:12:12.087844');
INSERT INTO public.job VALUES ('76fccac0-4e76-4159-849c-2ab2aa6f6af6', 'SUCCESS', true, '{}', 'registrar', 1, 0, 'vm:2448', '2026-11-26 06:12:19.221213', '2026-11-26 06:12:19.339104', '2026-11-26 06:12:21.06662', '2026-11-26 06:12:19.221213', NULL, 'done', 3, 100, '2e16c36b79854221b026a7e40224459d', 'preview.csv', 224, '445ce11f021699eaa26dece798b7f1455bb1d3e8b0875fd958a88c23b3cee084', 'csv', 'utf-8', ',', NULL, '{"signs": [], "errors": {"INVALID_EMAIL": 1}, "columns": {"year": "year", "email": "email", "last_name": "last_name", "department": "department", "first_name": "first_name", "student_id": "student_id", "is_eligible": "is_eligible"}, "created": 0, "updated": 2, "rejected": 1, "repeated": 0, "warnings": {}, "rows_read": 3, "unchanged": 0, "blank_rows": 0, "assumptions": [], "differences": [{"line": 2, "change": "update", "fields": {"department": {"to": "Physics", "from": "Law"}}, "student_id": "1001"}, {"line": 3, "change": "update", "fields": {"year": {"to": 3, "from": 4}}, "student_id": "1002"}], "would_create": 0, "would_update": 2, "eligibility_on": 0, "missing_fields": {}, "eligibility_off": 0, "ignored_columns": [], "missing_columns": []}', 'fb7c19ba82a34711b4da2c728705ed59', NULL, NULL, NULL, 'sent', 1, '2026-11-26 06:14:21.267872', NULL, '2026-11-26 06:12:21.331268', NULL, NULL, NULL, NULL, 2, NULL, 'none', 1, '2026-11-26 06:14:21.280199', 'No WEBHOOK_URL is set.', NULL);
INSERT INTO public.job VALUES ('527a7d3a-ce9d-4be1-8d4f-76222748be67', 'SUCCESS', false, '{}', 'registrar', 1, 0, 'vm:2448', '2026-11-26 06:12:12.177745', '2026-11-26 06:12:12.371578', '2026-11-26 06:12:14.218805', '2026-11-26 06:12:12.177745', NULL, 'done', 3, 100, '68dfe90a082e470aabcf81f1b0ea98bd', 'autumn.csv', 216, '74335cf341c7488dcb896087043a841f254e29acfb8f802eb25b80c24b3d5d8e', 'csv', 'utf-8', ',', NULL, '{"signs": [], "errors": {"INVALID_EMAIL": 1}, "columns": {"year": "year", "email": "email", "last_name": "last_name", "department": "department", "first_name": "first_name", "student_id": "student_id", "is_eligible": "is_eligible"}, "created": 2, "updated": 0, "rejected": 1, "repeated": 0, "warnings": {}, "rows_read": 3, "unchanged": 0, "blank_rows": 0, "assumptions": [], "eligibility_on": 0, "missing_fields": {}, "eligibility_off": 0, "ignored_columns": [], "missing_columns": []}', '86d4a02994124603add6e213097f5ccf', NULL, NULL, NULL, 'sent', 1, '2026-11-26 06:14:14.949266', NULL, '2026-11-26 06:12:15.170349', NULL, NULL, NULL, NULL, 1, NULL, 'none', 1, '2026-11-26 06:14:15.043507', 'No WEBHOOK_URL is set.', NULL);
INSERT INTO public.job VALUES ('8472a33c-c5de-489f-87cb-32e5784550bc', 'FAILURE', false, '{}', 'registrar', 1, 0, 'vm:2448', '2026-11-26 06:12:21.279894', '2026-11-26 06:12:21.813648', '2026-11-26 06:12:23.384801', '2026-11-26 06:12:21.279894', NULL, 'done', 0, NULL, '936941b026c442eb8b8989d690a35039', 'bad.csv', 7, 'ccd407ac27acd341c689d438cdea74d570171b3eb46a4e834bf4341ea5908175', 'csv', NULL, NULL, NULL, NULL, NULL, NULL, 'MISSING_COLUMNS', 'No column for student_id and email was found. The headers found are: "name". Please name the columns in one of the first 20 rows, for example student_id and email.', 'pending', 0, '2026-11-26 06:12:23.384801', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'pending', 0, '2026-11-26 06:12:23.384801', NULL, NULL);
INSERT INTO public.job VALUES ('bea24171-7b6b-4dba-a8ad-055815691242', 'PENDING', false, '{}', 'registrar', 0, 0, '', '2026-11-26 06:12:24.977416', NULL, NULL, '2026-11-26 06:12:24.977416', NULL, 'queued', 0, NULL, '1b5c3fbd9bca45bda0c92b1198b70bd2', 'waiting.csv', 48, '5eb9f9b88c196b3e4bc9923ee8a3e92b5cc616c967228457ccd2723d9a235362', 'csv', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'none', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'none', 0, NULL, NULL, NULL);
INSERT INTO public.job_fault VALUES ('527a7d3a-ce9d-4be1-8d4f-76222748be67', 1, 4, 'email', 'INVALID_EMAIL', 'not an address', 'Give one e-mail address of the form name@university.edu.');
INSERT INTO public.job_fault VALUES ('76fccac0-4e76-4159-849c-2ab2aa6f6af6', 1, 4, 'email', 'INVALID_EMAIL', 'not an address', 'Give one e-mail address of the form name@university.edu.');
INSERT INTO public.rate_count VALUES ('upload', 'fe0b2b99bdf70b3bd86e2e3e3867b24995378cc82ebe4b1c934a1962d8690a09', 4, '2026-11-26 06:13:12.16191');
INSERT INTO public.roll VALUES (1, 2, '2026-11-26 06:12:14.484717');
INSERT INTO public.schema_migration VALUES (1, '0001_roll_and_jobs', '2026-11-26 06:11:57.807704');
INSERT INTO public.schema_migration VALUES (2, '0002_previews_and_history', '2026-11-26 06:11:57.919727');
INSERT INTO public.schema_migration VALUES (3, '0004_token_life', '2026-11-26 06:11:57.999966');
INSERT INTO public.schema_migration VALUES (4, '0005_webhook', '2026-11-26 06:11:58.137826');
INSERT INTO public.schema_migration VALUES (5, '0006_people', '2026-11-26 06:11:58.192984');
INSERT INTO public.stored_chunk VALUES ('68dfe90a082e470aabcf81f1b0ea98bd', 0, '\x73747564656e745f69642c66697273745f6e616d652c6c6173745f6e616d652c656d61696c2c6465706172746d656e742c796561722c69735f656c696769626c650a313030312c4164612c4f6b61666f722c313030314073747564656e74732e6578616d706c652e6564752c4c61772c322c7965730a313030322c42656e2c41646579656d692c313030324073747564656e74732e6578616d706c652e6564752c486973746f72792c332c6e6f0a313030332c436c656f2c4d656e7361682c6e6f7420616e20616464726573732c4c61772c312c7965730a', '2026-11-26 06:12:12.168356');
INSERT INTO public.stored_chunk VALUES ('86d4a02994124603add6e213097f5ccf', 0, '\xefbbbf73747564656e745f69642c66697273745f6e616d652c6c6173745f6e616d652c656d61696c2c6465706172746d656e742c796561722c69735f656c696769626c652c5f6c696e652c5f6572726f72730d0a313030332c436c656f2c4d656e7361682c6e6f7420616e20616464726573732c4c61772c312c7965732c342c656d61696c3a20494e56414c49445f454d41494c2e2047697665206f6e6520652d6d61696c2061646472657373206f662074686520666f726d206e616d6540756e69766572736974792e6564752e0d0a', '2026-11-26 06:12:14.177808');
INSERT INTO public.stored_chunk VALUES ('2e16c36b79854221b026a7e40224459d', 0, '\x73747564656e745f69642c66697273745f6e616d652c6c6173745f6e616d652c656d61696c2c6465706172746d656e742c796561722c69735f656c696769626c650a313030312c4164612c4f6b61666f722c313030314073747564656e74732e6578616d706c652e6564752c506879736963732c322c7965730a313030322c42656e2c41646579656d692c313030324073747564656e74732e6578616d706c652e6564752c486973746f72792c332c6e6f0a313030332c436c656f2c4d656e7361682c6e6f7420616e20616464726573732c506879736963732c312c7965730a', '2026-11-26 06:12:19.218817');
INSERT INTO public.stored_chunk VALUES ('fb7c19ba82a34711b4da2c728705ed59', 0, '\xefbbbf73747564656e745f69642c66697273745f6e616d652c6c6173745f6e616d652c656d61696c2c6465706172746d656e742c796561722c69735f656c696769626c652c5f6c696e652c5f6572726f72730d0a313030332c436c656f2c4d656e7361682c6e6f7420616e20616464726573732c506879736963732c312c7965732c342c656d61696c3a20494e56414c49445f454d41494c2e2047697665206f6e6520652d6d61696c2061646472657373206f662074686520666f726d206e616d6540756e69766572736974792e6564752e0d0a', '2026-11-26 06:12:21.057758');
INSERT INTO public.stored_chunk VALUES ('936941b026c442eb8b8989d690a35039', 0, '\x6e616d650a780a', '2026-11-26 06:12:21.258022');
INSERT INTO public.stored_chunk VALUES ('1b5c3fbd9bca45bda0c92b1198b70bd2', 0, '\x73747564656e745f69642c656d61696c0a313030342c313030344073747564656e74732e6578616d706c652e6564750a', '2026-11-26 06:12:24.975504');
INSERT INTO public.voter VALUES ('1001', 'Ada', 'Okafor', '1001@students.example.edu', 'Law', 2, true);
INSERT INTO public.voter VALUES ('1002', 'Ben', 'Adeyemi', '1002@students.example.edu', 'History', 4, false);
INSERT INTO public.voter_history VALUES (1, '1002', 'Ben', 'Adeyemi', '1002@students.example.edu', 'History', 3, false, '2026-11-26 06:12:14.473471', 'registrar', 'Moved up a year.', NULL);
SELECT pg_catalog.setval('public.admin_id_seq', 1, true);
SELECT pg_catalog.setval('public.api_token_id_seq', 2, true);
SELECT pg_catalog.setval('public.schema_migration_id_seq', 5, true);
SELECT pg_catalog.setval('public.voter_history_id_seq', 1, true);
ALTER TABLE ONLY public.admin
    ADD CONSTRAINT admin_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.job_fault
    ADD CONSTRAINT job_fault_pkey PRIMARY KEY (job, number);
ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.rate_count
    ADD CONSTRAINT rate_count_pkey PRIMARY KEY (kind, subject);
ALTER TABLE ONLY public.roll
    ADD CONSTRAINT roll_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.stored_chunk
    ADD CONSTRAINT stored_chunk_pkey PRIMARY KEY (key, number);
ALTER TABLE ONLY public.voter_history
    ADD CONSTRAINT voter_history_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.voter
    ADD CONSTRAINT voter_pkey PRIMARY KEY (student_id);
CREATE UNIQUE INDEX admin_username ON public.admin USING btree (username);
CREATE UNIQUE INDEX apitoken_digest ON public.api_token USING btree (digest);
CREATE UNIQUE INDEX apitoken_name ON public.api_token USING btree (name);
CREATE INDEX job_created_at ON public.job USING btree (created_at);
CREATE INDEX job_file_key ON public.job USING btree (file_key);
CREATE INDEX job_report_mail_report_mail_due_at ON public.job USING btree (report_mail, report_mail_due_at);
CREATE INDEX job_sha256_created_at ON public.job USING btree (sha256, created_at);
CREATE INDEX job_state_not_before ON public.job USING btree (state, not_before);
CREATE UNIQUE INDEX job_uploaded_by_idempotency_key ON public.job USING btree (uploaded_by, idempotency_key);
CREATE INDEX job_webhook_webhook_due_at ON public.job USING btree (webhook, webhook_due_at);
CREATE INDEX ratecount_ends_at ON public.rate_count USING btree (ends_at);
CREATE UNIQUE INDEX schema_migration_name ON public.schema_migration USING btree (name);
CREATE INDEX voterhistory_student_id_id ON public.voter_history USING btree (student_id, id);
