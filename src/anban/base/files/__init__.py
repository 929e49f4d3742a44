"""Photos and documents by content hash (照片与附件)."""
