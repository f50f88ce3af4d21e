"""Printers: round-trip text, Unicode, LaTeX and MathML, over one table of precedence."""
