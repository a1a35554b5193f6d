"""The parts of tools/bench: rows (what is measured, and whom), servers, load, report, chart. Nothing here is part of the module."""
