-- Former names are written once, like every history; see guards.sql.
CREATE TRIGGER former_name_append_only BEFORE UPDATE OR DELETE ON consumers_formername
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER former_name_no_truncate BEFORE TRUNCATE ON consumers_formername
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
