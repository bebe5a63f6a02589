-- The audit trail and its chain are written once, like every history; see guards.sql.
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON consumers_auditentry
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON consumers_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER audit_block_append_only BEFORE UPDATE OR DELETE ON payouts_auditblock
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER audit_block_no_truncate BEFORE TRUNCATE ON payouts_auditblock
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
