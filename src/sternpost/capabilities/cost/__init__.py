"""What calls cost: the price table, overrides and the arithmetic; not limits or budgets."""
