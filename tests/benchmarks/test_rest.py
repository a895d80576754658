import os

import pytest

from bench import rest
from dev.cluster import errors


def test_a_figure_of_memory_is_found_by_its_whole_name() -> None:
    text = "VmHWM:\t  90000 kB\nVmRSS:\t  81920 kB\nRssAnon:\t 5 kB\n"
    assert rest.kibibytes(text, "VmRSS") == 81920


def test_a_figure_that_is_not_there_is_an_error() -> None:
    with pytest.raises(errors.ClusterError, match="VmRSS"):
        rest.kibibytes("Name: x\n", "VmRSS")


def test_ticks_are_read_behind_a_name_that_may_hold_anything() -> None:
    stat = "42 (a) b (c d) S " + " ".join(str(number) for number in range(4, 30))
    assert rest.ticks(stat) == 14 + 15


def test_this_process_has_memory_and_has_used_cpu() -> None:
    assert rest.memory(os.getpid(), "status", "VmRSS") > 5
    assert rest.cpu_seconds(os.getpid()) > 0


def test_a_resource_is_put_back_as_somebody_wrote_it() -> None:
    room = {
        "apiVersion": "showstopper.dev/v1alpha1",
        "kind": "AudioRoom",
        "metadata": {"name": "a", "namespace": "b", "labels": {"x": "y"}, "uid": "1", "resourceVersion": "2"},
        "spec": {"z": 1},
        "status": {"live": 6},
    }
    assert rest.bare(room) == {
        "apiVersion": "showstopper.dev/v1alpha1",
        "kind": "AudioRoom",
        "metadata": {"name": "a", "namespace": "b", "labels": {"x": "y"}},
        "spec": {"z": 1},
    }


def test_a_resource_is_put_back_as_whoever_applied_its_spec() -> None:
    managers = [
        {"manager": "showstopper", "operation": "Update", "fieldsV1": {"f:status": {}}},
        {"manager": "labels", "operation": "Apply", "fieldsV1": {"f:metadata": {}}},
        {"manager": "helm", "operation": "Apply", "fieldsV1": {"f:spec": {}}},
    ]
    assert rest.manager_of({"metadata": {"managedFields": managers}}) == "helm"
    assert rest.manager_of({"metadata": {"managedFields": managers[:1]}}) == "kubectl"
    assert rest.manager_of({"metadata": {}}) == "kubectl"
