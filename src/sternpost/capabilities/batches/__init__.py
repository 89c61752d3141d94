"""Work that can wait: files of request lines, and batches that run them."""
