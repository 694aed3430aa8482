#!/usr/bin/env python3
"""Makes alerts.json, the alerts of `vigild --demo`: EVE records as Suricata writes them, all of our own invention.

    make_alerts.py            write alerts.json beside this file
    make_alerts.py --check    exit 1 unless alerts.json is what would be written

The same every time: the seed is fixed, and times lie in the three days before EPOCH; the demo moves them to its own
present. Addresses are those set aside for documentation and private use (RFC 5737, RFC 3849, RFC 1918).
"""
import base64
import datetime
import json
import pathlib
import random
import sys

EPOCH = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
SPAN_SECONDS = 3 * 24 * 3600
COUNT = 320
SEED = 20260101
FILE = pathlib.Path(__file__).with_name("alerts.json")

# sid, signature, category, severity, weight, kind
SIGNATURES = [
    (9000001, "VIGIL DEMO SCAN SSH login attempts in quick succession", "Attempted Administrator Privilege Gain", 2, 14, "ssh"),
    (9000002, "VIGIL DEMO SCAN port sweep from one outside host", "Detection of a Network Scan", 3, 16, "scan"),
    (9000003, "VIGIL DEMO WEB SQL keywords in a query string", "Web Application Attack", 1, 8, "web-in"),
    (9000004, "VIGIL DEMO WEB path traversal towards a password file", "Web Application Attack", 1, 6, "web-in"),
    (9000005, "VIGIL DEMO WEB scanner names itself in the user agent", "Attempted Information Leak", 2, 10, "web-in"),
    (9000006, "VIGIL DEMO MALWARE check-in of a known implant", "A Network Trojan was detected", 1, 5, "beacon"),
    (9000007, "VIGIL DEMO MALWARE executable fetched by address, without a name", "A Network Trojan was detected", 1, 4, "download"),
    (9000008, "VIGIL DEMO DNS query for a recently made domain", "Potentially Bad Traffic", 2, 12, "dns"),
    (9000009, "VIGIL DEMO DNS unusually long name, as tunnels use", "Potential Corporate Privacy Violation", 2, 5, "dns-tunnel"),
    (9000010, "VIGIL DEMO TLS self-signed certificate on a common port", "Potentially Bad Traffic", 3, 9, "tls"),
    (9000011, "VIGIL DEMO TLS client asks for an anonymising network", "Potential Corporate Privacy Violation", 2, 4, "tls"),
    (9000012, "VIGIL DEMO POLICY file sharing over plain HTTP", "Potential Corporate Privacy Violation", 3, 7, "web-out"),
    (9000013, "VIGIL DEMO POLICY remote desktop reached from outside", "Misc activity", 2, 6, "rdp"),
    (9000014, "VIGIL DEMO ICMP echo with a payload of unusual size", "Misc activity", 3, 6, "icmp"),
    (9000015, "VIGIL DEMO IPV6 router advertisement by a workstation", "Misc Attack", 2, 3, "icmp6"),
    (9000016, "VIGIL DEMO SMTP attachment with a doubled extension", "Suspicious Filename Detected", 2, 4, "smtp"),
]

OUTSIDE = [f"203.0.113.{n}" for n in (5, 17, 44, 77, 101, 139, 188, 222)] + [f"198.51.100.{n}" for n in (9, 23, 64, 150)]
SERVERS = {"web": "192.0.2.80", "ssh": "192.0.2.22", "mail": "192.0.2.25", "rdp": "192.0.2.33"}
WORKSTATIONS = [f"10.20.{subnet}.{host}" for subnet in (1, 2, 5) for host in (11, 12, 15, 23, 31, 42)]
RESOLVER = "10.20.0.53"
DOMAINS = ["fresh-offers.example", "update-check.example", "cdn-static.example", "invoice-portal.example"]
AGENTS = {"browser": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "scanner": "demo-scanner/1.4",
          "implant": "wkst-sync/0.9"}


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "+0000"


def flow_of(rng, moment, large=False):
    scale = 400 if large else 1
    to_server, to_client = rng.randint(1, 14), rng.randint(0, 12)
    return {"pkts_toserver": to_server, "pkts_toclient": to_client, "bytes_toserver": to_server * rng.randint(60, 220),
            "bytes_toclient": to_client * rng.randint(60, 900) * scale,
            "start": stamp(moment - datetime.timedelta(milliseconds=rng.randint(0, 4000)))}


def http(method, host, url, agent, status, length):
    return {"hostname": host, "url": url, "http_user_agent": agent, "http_method": method, "protocol": "HTTP/1.1",
            "status": status, "length": length}


def ends(source, source_port, destination, destination_port, proto):
    return {"src_ip": source, "src_port": source_port, "dest_ip": destination, "dest_port": destination_port, "proto": proto}


def details(kind, rng):
    """Endpoints and the protocol's own members for a kind of alert."""
    outside, inside, port = rng.choice(OUTSIDE), rng.choice(WORKSTATIONS), rng.randint(32768, 60999)
    domain = rng.choice(DOMAINS)
    if kind == "ssh":
        return ends(outside, port, SERVERS["ssh"], 22, "TCP") | {
            "app_proto": "ssh", "ssh": {"client": {"proto_version": "2.0", "software_version": "demo_client_0.8"},
                                        "server": {"proto_version": "2.0", "software_version": "OpenSSH_9.2"}}}
    if kind == "scan":
        return ends(outside, port, rng.choice(list(SERVERS.values())), rng.choice([21, 23, 445, 3306, 5432, 8443]), "TCP")
    if kind == "web-in":
        url = rng.choice(["/products?id=1%20UNION%20SELECT%20name", "/static/../../etc/passwd", "/login", "/admin/setup"])
        return ends(outside, port, SERVERS["web"], 80, "TCP") | {
            "tx_id": 0, "app_proto": "http",
            "http": http("GET", "www.demo.example", url, AGENTS["scanner"], rng.choice([200, 403, 404]), rng.randint(150, 4000)),
            "payload_printable": f"GET {url} HTTP/1.1\r\nHost: www.demo.example\r\n\r\n"}
    if kind == "beacon":
        return ends(inside, port, outside, 443, "TCP") | {
            "tx_id": 0, "app_proto": "http",
            "http": http("POST", domain, "/v1/state", AGENTS["implant"], 200, 32),
            "payload": base64.b64encode(bytes(rng.randrange(256) for _ in range(48))).decode()}
    if kind == "download":
        return ends(outside, 80, inside, port, "TCP") | {
            "tx_id": 0, "app_proto": "http", "http": http("GET", outside, "/setup.exe", AGENTS["browser"], 200, 393216),
            "files": [{"filename": "/setup.exe", "size": 393216, "stored": False}]}
    if kind in ("dns", "dns-tunnel"):
        name = domain if kind == "dns" else "".join(rng.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(48)) + "." + domain
        return ends(inside, port, RESOLVER, 53, "UDP") | {
            "tx_id": 0, "app_proto": "dns", "dns": {"query": [{"type": "query", "id": rng.randrange(65536), "rrname": name,
                                                              "rrtype": "TXT" if kind == "dns-tunnel" else "A"}]}}
    if kind == "tls":
        return ends(inside, port, outside, 443, "TCP") | {
            "app_proto": "tls", "tls": {"sni": domain, "version": "TLS 1.2", "subject": f"CN={domain}", "issuerdn": f"CN={domain}",
                                        "fingerprint": ":".join(f"{rng.randrange(256):02x}" for _ in range(20))}}
    if kind == "web-out":
        return ends(inside, port, outside, 80, "TCP") | {
            "tx_id": 0, "app_proto": "http",
            "http": http("PUT", "share.example", f"/drop/{rng.randrange(10**6)}", AGENTS["browser"], 201, rng.randint(1000, 90000))}
    if kind == "rdp":
        return ends(outside, port, SERVERS["rdp"], 3389, "TCP") | {"app_proto": "rdp"}
    if kind == "icmp":
        return {"src_ip": inside, "dest_ip": outside, "proto": "ICMP", "icmp_type": 8, "icmp_code": 0}
    if kind == "icmp6":
        return {"src_ip": f"2001:db8:20::{rng.randrange(16, 255):x}", "dest_ip": "2001:db8:20::1", "proto": "IPv6-ICMP",
                "icmp_type": 134, "icmp_code": 0}
    return ends(outside, port, SERVERS["mail"], 25, "TCP") | {
        "tx_id": 0, "app_proto": "smtp",
        "smtp": {"helo": "mail.sender.example", "mail_from": "<billing@sender.example>", "rcpt_to": ["<info@demo.example>"]},
        "email": {"from": "billing@sender.example", "to": ["info@demo.example"], "subject": "Invoice", "attachment": ["invoice.pdf.scr"]}}


def alerts():
    rng = random.Random(SEED)
    moments = sorted(rng.randrange(SPAN_SECONDS * 1_000_000) for _ in range(COUNT))
    weights = [row[4] for row in SIGNATURES]
    for micros in moments:
        moment = EPOCH - datetime.timedelta(seconds=SPAN_SECONDS) + datetime.timedelta(microseconds=micros)
        sid, signature, category, severity, _, kind = rng.choices(SIGNATURES, weights)[0]
        blocked = kind in ("scan", "ssh", "web-in") and rng.random() < 0.3
        record = {"timestamp": stamp(moment), "flow_id": rng.randrange(2**51), "in_iface": "mon0", "event_type": "alert"}
        record |= details(kind, rng)
        record["alert"] = {"action": "blocked" if blocked else "allowed", "gid": 1, "signature_id": sid, "rev": 1,
                           "signature": signature, "category": category, "severity": severity}
        record["flow"] = flow_of(rng, moment, kind == "download")
        yield json.dumps(record, separators=(",", ":"))


def main():
    text = "".join(line + "\n" for line in alerts())
    if "--check" in sys.argv[1:]:
        if FILE.read_text() != text:
            print(f"{FILE} is not what {pathlib.Path(__file__).name} makes: run it")
            return 1
        return 0
    FILE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
