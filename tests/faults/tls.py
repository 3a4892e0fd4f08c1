"""A server of TLS before the test server, in a process of its own.

The embedded PostgreSQL is built without OpenSSL. To libpq this is a PostgreSQL with ``ssl = on``,
or a pooler: it answers the request for TLS, and encrypts what the server sends, in records of a
given size. Daphne brings ``cryptography``, which makes the certificate.
"""

import contextlib
import datetime
import ipaddress
import select
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
# SSLRequest: https://www.postgresql.org/docs/current/protocol-message-formats.html
REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
# Seconds without a byte from the server after which a record is sent that is not full.
PAUSE = 0.002


def make_certificate(folder: Path) -> None:
    """Write the key and the self-signed certificate of a server on this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@contextlib.contextmanager
def serving(folder: Path, record: int) -> Iterator[str]:
    """Serve in a process for the block, with records of so many bytes; yield the port."""
    command = [sys.executable, "-m", "tests.faults.tls", str(folder), str(record)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def connect_to_server() -> socket.socket:
    """Connect to the server that DATABASE_URL names, on TCP or a Unix socket."""
    from tests.settings import SERVER

    host = str(SERVER.get("host") or "/var/run/postgresql")
    port = int(SERVER.get("port") or 5432)
    if not host.startswith("/"):
        return socket.create_connection((host, port))
    server = socket.socket(socket.AF_UNIX)
    server.connect(str(Path(host) / f".s.PGSQL.{port}"))
    return server


def forward(plain: socket.socket, context: ssl.SSLContext, record: int) -> None:
    """Forward one connection until either side ends it."""
    with plain, connect_to_server() as server, contextlib.suppress(OSError):
        if plain.recv(len(REQUEST), socket.MSG_WAITALL) != REQUEST:
            return
        plain.sendall(b"S")
        with context.wrap_socket(plain, server_side=True) as client:
            while True:
                readable, _, _ = select.select([client, server], [], [])
                if client in readable:
                    data = client.recv(1 << 16)
                    while client.pending():
                        data += client.recv(client.pending())
                    if not data:
                        return
                    server.sendall(data)
                if server in readable:
                    data = gathered(server, record)
                    if not data:
                        return
                    client.sendall(data)


def gathered(server: socket.socket, record: int) -> bytes:
    """Return what the server sends at once, at most so many bytes; one record holds it."""
    data = server.recv(record)
    while data and len(data) < record and select.select([server], [], [], PAUSE)[0]:
        more = server.recv(record - len(data))
        if not more:
            break
        data += more
    return data


def main(folder: Path, record: int) -> None:
    """Serve each connection in a thread, for ever."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    with socket.create_server((HOST, 0)) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        while True:
            plain, _ = listener.accept()
            threading.Thread(target=forward, args=(plain, context, record), daemon=True).start()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
