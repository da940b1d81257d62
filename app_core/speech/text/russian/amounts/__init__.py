"""Amounts with a unit or a currency, and what these are called."""
