"""The only place that speaks HTTP: time-outs, caps on sizes, and no redirect to another scheme."""
