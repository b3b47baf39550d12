"""HTTPS as clients see it: OpenSSL, which checks the server's name, and those that trust what `env`, `--ca-out`, the data folder or the
control told them to. How HTTP/2 works is told in js/hosts.test.js."""

import select
import shutil
import socket
import ssl
import time

import pytest
import requests
from conftest import Server

NAMES = [
    "localhost",
    "127.0.0.1",
    "::1",
    "photos.localhost",
    "s3.localhost",
    "photos.s3.localhost",
    "my.photos.s3.localhost",
    "localhost.localstack.cloud",
    "photos.localhost.localstack.cloud",
    "photos.s3.localhost.localstack.cloud",
    "photos.s3.eu-west-1.amazonaws.com",
    # A service's name between containers.
    "strongroom",
    # What --host added.
    "s3.test",
    "photos.s3.test",
    "10.1.2.3",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("tls"), "--host", "s3.test,10.1.2.3", durable=False)
    yield running
    running.stop()


def trusting(file):
    context = ssl.create_default_context(cafile=file)
    # Newer Pythons set it by themselves.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def handshake(server, context, name="localhost"):
    """Protocol and version that were agreed on, by whoever believes the name."""
    host, port = server.address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as plain, context.wrap_socket(plain, server_hostname=name) as secure:
        assert secure.getpeercert()
        return secure.selected_alpn_protocol(), secure.version()


@pytest.mark.parametrize("name", NAMES)
def test_openssl_believes_every_name(server, name):
    assert handshake(server, trusting(server.ca), name) == (None, "TLSv1.3")


@pytest.mark.parametrize("name", ["example.com", "10.9.9.9", "localhost.example.com"])
def test_openssl_believes_no_other(server, name):
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, trusting(server.ca), name)


def test_nobody_believes_it_unasked(server):
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, ssl.create_default_context())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("offered, agreed", [(["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"), ([], None)])
def test_versions_and_protocols_are_agreed_on(server, version, offered, agreed):
    context = trusting(server.ca)
    context.minimum_version = context.maximum_version = version
    if offered:
        context.set_alpn_protocols(offered)

    assert handshake(server, context) == (agreed, version.name.replace("_", "."))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_older_versions_are_refused(server):
    context = trusting(server.ca)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1

    with pytest.raises(ssl.SSLError, match="ALERT"):
        handshake(server, context)


class ByHand:
    """A handshake whose bytes the test sends itself."""

    def __init__(self, server):
        host, port = server.address.split(":")
        self.plain = socket.create_connection((host, int(port)), timeout=20)
        # Each byte in a packet of its own.
        self.plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.secure = trusting(server.ca).wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            self.secure.do_handshake()
        self.hello = self.outgoing.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.plain.close()

    def do(self, step, *arguments):
        """Does a step as soon as enough has come for it."""
        while True:
            try:
                return step(*arguments)
            except ssl.SSLWantReadError:
                self.plain.sendall(self.outgoing.read())
                came = self.plain.recv(65_536)
                assert came, "the server has closed"
                self.incoming.write(came)


def test_a_hello_that_comes_byte_by_byte_is_greeted(server):
    with ByHand(server) as by_hand:
        for byte in by_hand.hello:
            by_hand.plain.sendall(bytes([byte]))
            time.sleep(2 / len(by_hand.hello))

        by_hand.do(by_hand.secure.do_handshake)
        by_hand.secure.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        by_hand.plain.sendall(by_hand.outgoing.read())
        assert by_hand.do(by_hand.secure.read, 65_536).startswith(b"HTTP/1.1 200 OK\r\n")
        assert by_hand.secure.version() == "TLSv1.3"


def test_a_hello_that_takes_too_long_is_cut_and_delays_nobody(server):
    """After the ten seconds of docs/security.md, however steadily it comes."""
    with ByHand(server) as by_hand:
        begun, left = time.monotonic(), iter(by_hand.hello[:-1])
        pause = 60 / len(by_hand.hello)
        while not select.select([by_hand.plain], [], [], pause)[0]:
            by_hand.plain.sendall(bytes([next(left)]))
            asked = time.monotonic()
            assert handshake(server, trusting(server.ca))[1] == "TLSv1.3"
            assert time.monotonic() - asked < 2
            assert time.monotonic() - begun < 20, "nobody has cut it"

        assert time.monotonic() - begun > 9
        try:
            assert by_hand.plain.recv(65_536) == b""
        except ConnectionResetError:  # a byte was under way
            pass


def test_whoever_trusted_a_folders_ca_trusts_it_after_a_start(tmp_path):
    homes = [tmp_path / name for name in ("first", "second")]
    for home in homes:
        home.mkdir()
    first = Server(homes[0])
    trusted = shutil.copy(first.folder / "tls" / "ca.pem", tmp_path)
    first.stop()
    shutil.move(first.folder, homes[1])

    second = Server(homes[1])

    assert handshake(second, trusting(trusted))[1] == "TLSv1.3"
    assert (second.folder / "tls" / "ca.pem").read_text() == second.ca.read_text()
    second.stop()


def test_the_control_tells_what_to_trust(server, tmp_path):
    told = requests.get(f"{server.uri('http')}/_emulator/ca.pem", timeout=10)
    (tmp_path / "ca.pem").write_text(told.text)

    assert told.headers["Content-Type"] == "application/pem-certificate-chain"
    assert requests.get(f"{server.uri('https')}/_emulator/health", verify=str(tmp_path / "ca.pem"), timeout=10).status_code == 200


def test_a_shell_trusts_it_in_whatever_folder_it_is(server, shell, tmp_path):
    (tmp_path / "ca.pem").write_text(requests.get(f"{server.uri('http')}/_emulator/ca.pem", timeout=10).text)

    results = shell(['eval "$(cargo run -- env --tls --ca-out ca.pem)"', "cd /", "echo $AWS_ENDPOINT_URL", "aws s3 mb s3://by-a-shell"])

    assert [status for status, _ in results] == [0] * 4
    assert [output for _, output in results[2:]] == [f"{server.uri('https')}\n", "make_bucket: by-a-shell\n"]


def test_both_protocols_share_objects(server):
    server.client("http").create_bucket(Bucket="shared")
    server.client("https").put_object(Bucket="shared", Key="key", Body=b"over TLS")

    assert server.client("http").get_object(Bucket="shared", Key="key")["Body"].read() == b"over TLS"
