"""Numbers beyond the range of float64, and quantiles of values that may be infinite or missing."""
