"""Parts of tests/load/storm."""
