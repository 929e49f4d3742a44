"""Work done by the worker, as rows (后台任务)."""
