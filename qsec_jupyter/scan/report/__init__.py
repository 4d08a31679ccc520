"""Findings as text, JSON, SARIF 2.1.0 and JUnit. None of them holds a value."""
