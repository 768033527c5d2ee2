"""Between the harness and the process that carries an implementation: the contract, and the process itself."""
