"""What things cost: ``python -m benchmarks``; a file here is a benchmark."""
