-- Returns what an operator should know of the table and its server.
-- $1 the name of the table
SELECT (found.oid IS NOT NULL)::integer::bigint,
       obj_description(found.oid, 'pg_class'),
       concat_ws(', ',
           CASE WHEN NOT has_table_privilege(found.oid, 'SELECT') THEN 'SELECT' END,
           CASE WHEN NOT has_table_privilege(found.oid, 'INSERT') THEN 'INSERT' END,
           CASE WHEN NOT has_table_privilege(found.oid, 'UPDATE') THEN 'UPDATE' END,
           CASE WHEN NOT has_table_privilege(found.oid, 'DELETE') THEN 'DELETE' END),
       (pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on')::integer::bigint,
       (SELECT (relpersistence <> 'p')::integer::bigint FROM pg_class WHERE pg_class.oid = found.oid),
       current_setting('synchronous_commit'),
       current_setting('fsync'),
       CASE WHEN current_setting('synchronous_standby_names') = '' THEN (SELECT count(*) FROM pg_stat_replication) END
FROM (SELECT to_regclass($1::text)::oid AS oid) AS found
