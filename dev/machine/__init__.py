"""A virtual machine with Debian's kernel, for tests of what this machine's own kernel may lack (netem)."""
