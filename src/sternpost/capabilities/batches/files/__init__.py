"""Files that are uploaded and written: their bytes, their quotas, their lines."""
