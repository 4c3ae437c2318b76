"""Tables that ship in packages: which estimator errs least, by its defaults, and in what time."""
