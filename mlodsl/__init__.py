"""mlodsl: a modelling language for multilevel optimization."""
