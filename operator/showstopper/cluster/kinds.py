"""Kinds of the Kubernetes API that Showstopper reads or writes, and their paths."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource of the API.

    Attributes:
        name: the kind, as in manifests.
        group_version: "v1" or "apps/v1".
        plural: as in the path.
        namespaced: whether its objects live in namespaces.
    """

    name: str
    group_version: str
    plural: str
    namespaced: bool = True

    @property
    def resource(self) -> str:
        """The plural with its group, as kubectl takes it: other groups, too, have "experiments"."""
        group, _, _ = self.group_version.rpartition("/")
        return f"{self.plural}.{group}" if group else self.plural

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The path of a collection, an object or a subresource."""
        root = "/api/" if "/" not in self.group_version else "/apis/"
        parts = [root + self.group_version]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/".join(parts)


POD = Kind("Pod", "v1", "pods")
CONFIG_MAP = Kind("ConfigMap", "v1", "configmaps")
NAMESPACE = Kind("Namespace", "v1", "namespaces", namespaced=False)
SERVICE = Kind("Service", "v1", "services")
STATEFUL_SET = Kind("StatefulSet", "apps/v1", "statefulsets")
DAEMON_SET = Kind("DaemonSet", "apps/v1", "daemonsets")
DEPLOYMENT = Kind("Deployment", "apps/v1", "deployments")
JOB = Kind("Job", "batch/v1", "jobs")
EVENT = Kind("Event", "events.k8s.io/v1", "events")
LEASE = Kind("Lease", "coordination.k8s.io/v1", "leases")
POLICY_BINDING = Kind(
    "ValidatingAdmissionPolicyBinding",
    "admissionregistration.k8s.io/v1",
    "validatingadmissionpolicybindings",
    namespaced=False,
)
ROLE = Kind("Role", "rbac.authorization.k8s.io/v1", "roles")
ROLE_BINDING = Kind("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings")
SERVICE_ACCOUNT = Kind("ServiceAccount", "v1", "serviceaccounts")
POD_AUTOSCALER = Kind("HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers")
NODE = Kind("Node", "v1", "nodes", namespaced=False)
ACCESS_REVIEW = Kind("SelfSubjectAccessReview", "authorization.k8s.io/v1", "selfsubjectaccessreviews", namespaced=False)
AUDIO_ROOM = Kind("AudioRoom", "showstopper.dev/v1alpha1", "audiorooms")
SELF_SUBJECT_REVIEW = Kind("SelfSubjectReview", "authentication.k8s.io/v1", "selfsubjectreviews", namespaced=False)
EXPERIMENT = Kind("Experiment", "showstopper.dev/v1alpha1", "experiments")
EXPERIMENT_RUN = Kind("ExperimentRun", "showstopper.dev/v1alpha1", "experimentruns")
GAME_DAY = Kind("GameDay", "showstopper.dev/v1alpha1", "gamedays")
INJECTION = Kind("Injection", "showstopper.dev/v1alpha1", "injections")
RELEASE_GATE = Kind("ReleaseGate", "showstopper.dev/v1alpha1", "releasegates")
