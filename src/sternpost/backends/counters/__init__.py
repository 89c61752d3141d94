"""Counters of admission in this process; which limits there are is the gateway's business."""
