"""surrogate-calculus: the symbolic stop-gradient calculus, and the verifier that holds estimators to it."""
