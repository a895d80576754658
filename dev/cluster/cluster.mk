# The embedded cluster. Included by the Makefile, which sets PYTHON and makes the virtual environment (target venv).
PYTHON ?= .venv/bin/python

.PHONY: cluster cluster-down cluster-status kubeconfig images cluster-snapshot cluster-check

cluster: ## Start a real two-node Kubernetes on this machine (Linux, root)
	@$(PYTHON) -m dev.cluster up

cluster-down: ## Take it down and remove everything that it brought
	@$(PYTHON) -m dev.cluster down

cluster-status: ## Say what of it runs
	@$(PYTHON) -m dev.cluster status

kubeconfig: ## Print the path of its kubeconfig: export KUBECONFIG=$(make -s kubeconfig)
	@$(PYTHON) -m dev.cluster kubeconfig

images: ## Build the images whose sources changed and load them into its nodes
	@$(PYTHON) -m dev.cluster images

cluster-snapshot: ## Print what runs, is mounted, routed and filtered on this machine, to compare before and after
	@$(PYTHON) -m dev.cluster snapshot

cluster-check: ## Try that taking down leaves nothing, also after kills at random moments (MOMENTS=3); takes the cluster down
	@MOMENTS=$(MOMENTS) SEED=$(SEED) $(PYTHON) -m pytest $(SHOW) dev/cluster/check_taking_down.py
