"""Requests as no client library sends them, byte for byte: those that name no host, or more than one."""

import socket

BEHIND = b"GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def answers(server, *lines):
    """All that the server says to a request, and to one behind it, until it closes."""
    host, port = server.address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as plain:
        plain.sendall("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + BEHIND)
        return b"".join(iter(lambda: plain.recv(65_536), b"")).decode()


def test_http_1_1_without_a_host_is_refused_as_s3_does(server):
    """Without a word: https://github.com/versity/versitygw/issues/1530."""
    answer = answers(server, "GET /photos/cat HTTP/1.1")

    head, body = answer.split("\r\n\r\n")
    names = {line.split(":")[0] for line in head.splitlines()[1:]}
    assert head.startswith("HTTP/1.1 400 Bad Request\r\n") and body == ""
    assert "connection: close" in head and "server: AmazonS3" in head
    assert names == {"connection", "content-length", "date", "server"}


def test_two_hosts_are_refused_whether_or_not_they_agree(server):
    for other in ("localhost", "photos.localhost", ""):
        answer = answers(server, "GET /photos/cat HTTP/1.1", "Host: localhost", f"host: {other}")

        assert answer.startswith("HTTP/1.1 400 Bad Request\r\n"), answer
        assert "<Code>BadRequest</Code>" in answer and answer.count("HTTP/1.1 ") == 1


def test_http_1_0_needs_no_host(server):
    """Load balancers ask for health so. The path names the bucket then:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html"""
    health = answers(server, "GET /health HTTP/1.0")
    s3 = answers(server, "GET /no-such-bucket/cat HTTP/1.0")

    assert health.startswith("HTTP/1.0 200 OK\r\n") and '"status":"ok"' in health
    assert s3.startswith("HTTP/1.0 4") and "no-such-bucket" in s3
    assert health.count("HTTP/1.") == s3.count("HTTP/1.") == 1
