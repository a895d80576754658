"""The resources as typed models: the one source of the CRDs, the operator and the command line."""
