"""A small identity provider on 127.0.0.1, which a test can make lie."""

import json
import threading
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from tests.conftest import NOW

CLIENT_ID, CLIENT_SECRET = "customer-health", "secret of the client"
START = int(NOW.timestamp())


@dataclass
class Issuer:
    """``claims``: what a test changes in the next tokens; None removes a claim."""

    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    claims: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    signs_with: str = "RS256"
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def discovery(self) -> dict[str, Any]:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token"}
        endpoints = {name: f"{self.url}/{path}" for name, path in names.items()}
        return {"issuer": self.url, **endpoints, "jwks_uri": f"{self.url}/keys", **self.document}

    def authorize(self, address: str, email: str = "kim@example.com") -> str:
        """Log a person in: return the address to which the provider sends the browser."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert query["scope"] == "openid email"
        code = f"code-{len(self.codes)}"
        self.codes[code] = {**query, "email": email}
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Exchange a code once, for the client that began, with the verifier of its challenge."""
        begun = self.codes.pop(form.get("code", ""), None)
        digest = sha256(form.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(digest).decode().rstrip("=")
        client = b64decode(authorization.removeprefix("Basic ")).decode()
        if (
            begun is None
            or begun["code_challenge"] != challenge
            or begun["redirect_uri"] != form.get("redirect_uri")
            or unquote(client) != f"{CLIENT_ID}:{CLIENT_SECRET}"
        ):
            return 400, {"error": "invalid_grant"}
        return 200, {
            "access_token": "a",
            "token_type": "Bearer",
            "id_token": self.id_token(begun["nonce"], begun["email"]),
        }

    def id_token(self, nonce: str, email: str) -> str:
        claims = {
            "iss": self.url,
            "sub": "1",
            "aud": CLIENT_ID,
            "iat": START,
            "exp": START + 300,
            "nonce": nonce,
            "email": email,
            "email_verified": True,
            **self.claims,
        }
        known = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.signs_with, "kid": "k1"}
        if self.signs_with == "none":
            parts = [json.dumps(each).encode() for each in (header, known)]
            return ".".join([*(urlsafe_b64encode(each).decode().rstrip("=") for each in parts), ""])
        if self.signs_with == "HS256":
            secret = OctKey.import_key(self.key.as_pem(private=False))
            return jwt.encode(header, known, secret, algorithms=["HS256"])
        if self.signs_with == "ES256":  # by a key that is not the provider's
            return jwt.encode(header, known, ECKey.generate_key("P-256"), algorithms=["ES256"])
        return jwt.encode(header, known, self.key)

    def keys(self) -> dict[str, Any]:
        public: dict[str, Any] = dict(KeySet([self.key]).as_dict(private=False))
        return public


@contextmanager
def run_issuer() -> Iterator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status: int, body: dict[str, Any]) -> None:
            issuer.requests.append(self.path)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def do_GET(self) -> None:
            known = {
                "/.well-known/openid-configuration": issuer.discovery(),
                "/keys": issuer.keys(),
            }
            self.answer(200 if self.path in known else 404, known.get(self.path, {}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self.answer(*issuer.token(form, self.headers.get("Authorization", "")))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield issuer
    server.shutdown()
    thread.join()
    server.server_close()
