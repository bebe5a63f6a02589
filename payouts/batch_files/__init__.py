"""Files that batches are made of: CSV and XLSX read exactly, and what every line of them says.

Plain Python: bytes come in, lines with findings go out. No database, no framework, no rule about
who may be paid what; what is said here about a line can be said by looking at the file alone.
"""
