"""Speed and quality of nmt, beside the machine's limits and beside other toolkits: README.md."""
