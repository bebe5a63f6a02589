-- What a statement says of its marks: SHA-256 over the SHA-256 of each part of 256 marks of 48 bytes,
-- as payouts.deciding.signatures.digest_of_parts. The first statements had one SHA-256 over all.
CREATE FUNCTION payouts_marks_digest(marks bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(string_agg(sha256(substring(marks FROM start FOR 12288)), ''::bytea
                             ORDER BY start))
    FROM generate_series(1, octet_length(marks), 12288) AS start
$$;

ALTER TABLE payouts_decisionsignature
    DROP CONSTRAINT signature_of_its_marks,
    ADD CONSTRAINT signature_of_its_marks
        CHECK (octet_length(marks) % 48 = 0 AND octet_length(marks) > 0
            AND right(statement, 64) = encode(
                CASE WHEN statement LIKE 'payouts decision 1%' THEN sha256(marks)
                     ELSE payouts_marks_digest(marks) END, 'hex'));

-- A decision reads its own 48 bytes of some millions: a compressed column would be unpacked for it.
ALTER TABLE payouts_decisionsignature ALTER COLUMN marks SET STORAGE EXTERNAL;
ALTER TABLE payouts_batchorder ALTER COLUMN marks SET STORAGE EXTERNAL;
