"""Where requests may go."""

from __future__ import annotations

import pytest

from livery.settings import check_outbound_url
from livery.settings.outbound import is_loopback

YES = {"openai": True}

LOCAL_HOSTS = [
    "localhost",
    "LOCALHOST.",
    "api.localhost",
    "printer.local",
    "db.internal",
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "10.0.0.8",
    "172.16.4.4",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "134744072",  # 8.8.8.8, but hidden
    "[::1]",
    "[fe80::1%25eth0]",
    "[2606:4700::1%25eth0]",
    "[fc00::1]",
    "[fec0::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:8.8.8.8]",
    "[::7f00:1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "１２７.0.0.1",
    "127。0。0。1",
    "local\u00adhost",
]
NEVER_HOSTS = [
    "0.0.0.0",
    "0",
    "0x0",
    "224.0.0.1",
    "255.255.255.255",
    "[::]",
    "[ff02::1]",
    "[::ffff:0.0.0.0]",
    "[::ffff:224.0.0.1]",
]


@pytest.mark.parametrize("host", ["api.openai.com", "8.8.8.8", "[2606:4700::1111]", "localhost.example.com"])
def test_https_to_a_public_host_is_always_allowed(host: str) -> None:
    assert check_outbound_url(f"https://{host}/v1", "openai", {}, {}) is None


def test_http_needs_the_provider_s_opt_in() -> None:
    refused = check_outbound_url("http://llm.example.com/v1", "openai", {"claude": True}, {})
    assert refused is not None and "api.allow_http.openai" in refused
    assert check_outbound_url("http://llm.example.com/v1", "openai", YES, {}) is None


@pytest.mark.parametrize("host", LOCAL_HOSTS)
def test_a_local_host_needs_the_provider_s_opt_in_however_it_is_spelled(host: str) -> None:
    refused = check_outbound_url(f"https://{host}:8443/v1", "openai", {}, {})
    assert refused is not None and "api.allow_local_networks.openai" in refused
    assert check_outbound_url(f"https://{host}:8443/v1", "openai", {}, YES) is None


@pytest.mark.parametrize("host", LOCAL_HOSTS)
def test_http_to_a_local_host_needs_both_opt_ins(host: str) -> None:
    url = f"http://{host}/v1"
    assert check_outbound_url(url, "openai", YES, {}) is not None
    assert check_outbound_url(url, "openai", {}, YES) is not None
    assert check_outbound_url(url, "openai", YES, YES) is None


@pytest.mark.parametrize("host", NEVER_HOSTS)
def test_no_opt_in_opens_an_address_of_nobody(host: str) -> None:
    assert check_outbound_url(f"https://{host}/", "openai", YES, YES) is not None


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "example.com/v1",
        "",
        "https://",
        "https:///path",
        "https://user:pass@example.com/",
        "https://user@example.com/",
        "https://@example.com/",
        "https://exa mple.com/",
        "https://127.0.0.1\t/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com:99999/",
        "https://1.2.3.4.5/",
        "https://256.1.1.1/",
        "https://a.1/",
        "https://%6c%6f/",
        "https://[::1/",
        "https://[v1.x]/",
        "https://[127.0.0.1]/",
        "https://localhost../",
        "https://.localhost/",
        "https://127.0.0.1../",
        "https://a..b/" + "x" * 3 + "\x7f",
    ],
)
def test_what_is_no_plain_url_is_refused_with_every_opt_in(url: str) -> None:
    assert check_outbound_url(url, "openai", YES, YES) is not None


def test_a_refusal_never_repeats_what_stands_before_the_host() -> None:
    refused = check_outbound_url("https://user:hunter2@example.com/", "openai", {}, {})
    assert refused is not None and "hunter2" not in refused


def test_the_opt_in_of_an_alias_counts_for_its_provider() -> None:
    assert check_outbound_url("http://a.example/", "anthropic", {"claude": True}, {}) is None
    assert check_outbound_url("http://a.example/", "open-responses", {"openai": True}, {}) is None


def test_the_nearest_name_s_opt_in_decides() -> None:
    allowed = {"openai-responses": False, "openai": True}
    assert check_outbound_url("http://a.example/", "openai-responses", allowed, {}) is not None


def test_the_suffixed_spelling_of_an_opt_in_counts() -> None:
    assert check_outbound_url("http://a.example/", "openai", {"openai-allow-http": True}, {}) is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "[::1]", "[::ffff:127.0.0.1]", "2130706433"])
def test_this_machine_is_known_by_any_name(host: str) -> None:
    assert is_loopback(f"http://{host}:8000/v1")


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "https://api.openai.com/v1", "http://[", "nonsense"])
def test_other_hosts_are_not_this_machine(url: str) -> None:
    assert not is_loopback(url)
