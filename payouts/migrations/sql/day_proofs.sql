-- What was found about a day is history; see guards.sql.
CREATE TRIGGER day_proof_append_only BEFORE UPDATE OR DELETE ON payouts_dayproof
    FOR EACH ROW EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER day_proof_no_truncate BEFORE TRUNCATE ON payouts_dayproof
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
