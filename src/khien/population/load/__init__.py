"""`khien population load`: a register extract, checked as a whole and merged in one transaction.

reading (file to blocks of rows) → staging (COPY, resumable) → checking (checks.sql) → merging (merge.sql).
"""
