"""What is taken from `kubernetes.aio`: how a cluster is found and reached, as kubectl does it.

Whoever imports a part of `kubernetes` has the whole of it run first: its `__init__.py` loads the synchronous client,
with requests, oauthlib, websocket and informers, which nobody here calls. That is 8 MB of the operator's 80, and some
two tenths of a second of each command. So the package is put in its place without being run, and its parts are loaded
from there as they are asked for. That is the same module that an import would make, so that a later import of another
part, by whomever, loads that part.
"""

import sys
from importlib.util import find_spec, module_from_spec

__all__ = ["Configuration", "RESTClientObject", "config"]

if "kubernetes" not in sys.modules and (spec := find_spec("kubernetes")) is not None:
    sys.modules["kubernetes"] = module_from_spec(spec)

from kubernetes.aio import config
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject
