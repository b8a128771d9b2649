"""The server speaks TLS, over HTTP and gRPC."""

from __future__ import annotations

import json
import ssl
import urllib.request
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest

from industry_apps.errors import ParameterError
from industry_apps.serving.settings import Binding
from tests.serving.running import running

x509 = pytest.importorskip("cryptography.x509")


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> tuple[Path, Path]:
    """A certificate for this machine, signed by itself, and its key."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    forms = serialization.Encoding.PEM
    (folder / "cert").write_bytes(certificate.public_bytes(forms))
    (folder / "key").write_bytes(
        key.private_bytes(forms, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert", folder / "key"


def test_http_and_grpc_are_encrypted(pair):
    certificate, key = pair
    grpc = pytest.importorskip("tritonclient.grpc")
    models = {"credit": "finance.credit_scoring.scorecard"}
    with running(models, certificate=certificate, key=key, grpc=0) as server:
        trusted = ssl.create_default_context(cafile=str(certificate))
        address = f"https://127.0.0.1:{server.port}/ready"
        with urllib.request.urlopen(address, context=trusted, timeout=20) as found:
            assert json.loads(found.read()) == {"ready": True}
        with grpc.InferenceServerClient(
            server.grpc, ssl=True, root_certificates=str(certificate)
        ) as client:
            assert client.is_server_ready()


def test_a_certificate_needs_its_key(pair):
    with pytest.raises(ParameterError, match="Give both, or none"):
        Binding(certificate=pair[0])
