"""The certificates hold for the addresses that they are used at, and their users are the ones that RBAC knows."""

import ssl
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID

from dev.cluster import control_plane, pki


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> control_plane.Keys:
    return control_plane.make_keys(tmp_path_factory.mktemp("pki"), ("198.18.255.2", "198.19.0.1"))


def load(certificate: pki.Certificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificate.certificate.read_bytes())


def test_the_api_server_answers_for_all_its_names(keys: control_plane.Keys) -> None:
    names = load(keys.api_server).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(each) for each in names.get_values_for_type(x509.IPAddress)} == {
        "127.0.0.1",
        "198.18.255.2",
        "198.19.0.1",
    }
    assert "kubernetes.default.svc.cluster.local" in names.get_values_for_type(x509.DNSName)


def test_the_administrator_is_in_the_group_that_may_all(keys: control_plane.Keys) -> None:
    subject = load(keys.admin).subject
    assert [each.value for each in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == ["system:masters"]


def test_every_certificate_is_the_authority_s(keys: control_plane.Keys) -> None:
    authority = x509.load_pem_x509_certificate(keys.authority.certificate.read_bytes())
    for each in (keys.etcd, keys.etcd_client, keys.api_server, keys.kubelet_client, keys.controllers, keys.scheduler):
        load(each).verify_directly_issued_by(authority)


def test_keys_are_readable_by_their_owner_only(keys: control_plane.Keys) -> None:
    for each in (keys.admin, keys.tokens):
        assert each.key.stat().st_mode & 0o077 == 0


def test_a_kubeconfig_stands_alone(keys: control_plane.Keys, tmp_path: Path) -> None:
    path = keys.authority.kubeconfig(tmp_path / "config", "https://127.0.0.1:1", keys.admin)
    assert path.stat().st_mode & 0o077 == 0
    document = yaml.safe_load(path.read_text())
    assert document["current-context"] == "showstopper"
    assert str(tmp_path) not in path.read_text()
    assert "certificate-authority-data" in document["clusters"][0]["cluster"]


def test_python_s_strict_checks_accept_the_authority(keys: control_plane.Keys) -> None:
    context = ssl.create_default_context(cafile=str(keys.authority.certificate))
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    context.load_cert_chain(keys.admin.certificate, keys.admin.key)
    authority = x509.load_pem_x509_certificate(keys.authority.certificate.read_bytes())
    assert authority.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    assert load(keys.api_server).extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)


def test_the_api_server_is_told_its_own_address_and_range(keys: control_plane.Keys) -> None:
    arguments = control_plane.api_server(keys, "198.18.255.2", "198.19.0.0/16")
    assert "--advertise-address=198.18.255.2" in arguments
    assert "--service-cluster-ip-range=198.19.0.0/16" in arguments
    assert "--anonymous-auth=false" in arguments
