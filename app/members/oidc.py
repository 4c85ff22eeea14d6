"""Sign in by an identity provider: OpenID Connect, code flow with PKCE, one issuer.

httpx and joserfc are imported by the first sign-in of this kind. Every answer of the provider is
checked: the issuer of its document, and the signature, issuer, audience, time and nonce of its
token.
"""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from app.core.errors import UnauthorizedError
from app.members.tokens import generate_token

if TYPE_CHECKING:
    from httpx import Client

SCOPE = "openid email"
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
"""Signatures by a private key only: none and shared secrets are refused."""
LEEWAY_SECONDS, TIMEOUT_SECONDS = 60, 10


class OidcError(UnauthorizedError):
    code = "not_confirmed"
    default_detail = "The identity provider did not confirm who you are. Start again."
    headers: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that has begun: what must come back with it. The browser has it, encrypted."""

    state: str
    nonce: str
    verifier: str

    @property
    def challenge(self) -> str:
        digest = sha256(self.verifier.encode()).digest()
        return urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """``client_secret``: None for a public client, which PKCE alone protects."""

    issuer: str
    client_id: str
    client_secret: str | None

    def begin(self, redirect_uri: str) -> tuple[str, Attempt]:
        """Return the address at which the provider asks who the person is, and the attempt."""
        attempt = Attempt(generate_token(), generate_token(), generate_token())
        with _provider_client() as client:
            url = self._endpoint(self._discover(client), "authorization_endpoint")
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": SCOPE,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}", attempt

    def finish(
        self, redirect_uri: str, answer: Mapping[str, str], attempt: Attempt, *, now: datetime
    ) -> str:
        """Exchange the code of an answer; return the e-mail address that the provider verified."""
        code = answer.get("code")
        if answer.get("state") != attempt.state or not code:
            raise OidcError
        with _provider_client() as client:
            document = self._discover(client)
            form = {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "client_id": self.client_id,
                "code_verifier": attempt.verifier,
            }
            url = self._endpoint(document, "token_endpoint")
            answered = client.post(url, data=form, headers=self._authorization())
            token = answered.raise_for_status().json()["id_token"]
            keys = client.get(self._endpoint(document, "jwks_uri")).raise_for_status().json()
            claims = self._claims(token, keys, attempt, now)
        email = claims.get("email")
        if not isinstance(email, str) or claims.get("email_verified") is not True:
            raise OidcError("The identity provider has no verified e-mail address of you.")
        return email.strip().lower()

    def _authorization(self) -> Mapping[str, str]:
        if self.client_secret is None:
            return {}
        credentials = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"
        return {"Authorization": f"Basic {b64encode(credentials.encode()).decode()}"}

    def _discover(self, client: "Client") -> Mapping[str, Any]:
        url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        document: Mapping[str, Any] = client.get(url).raise_for_status().json()
        if document.get("issuer") != self.issuer:
            raise OidcError("The identity provider names another issuer than HEALTH_OIDC_ISSUER.")
        return document

    def _endpoint(self, document: Mapping[str, Any], name: str) -> str:
        url = document.get(name)
        is_secure = str(url).startswith("https://") or self.issuer.startswith("http://")
        if not isinstance(url, str) or not is_secure:
            raise OidcError(f"The document of the identity provider has no valid {name}.")
        return url

    def _claims(
        self,
        id_token: str,
        keys: Any,  # noqa: ANN401 - JSON
        attempt: Attempt,
        now: datetime,
    ) -> Mapping[str, Any]:
        from joserfc import jwt
        from joserfc.jwk import KeySet

        token = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            azp={"value": self.client_id},
            nonce={"essential": True, "value": attempt.nonce},
            exp={"essential": True},
            iat={"essential": True},
        )
        registry.validate(token.claims)
        return token.claims


@contextmanager
def _provider_client() -> "Iterator[Client]":
    """Open a client of the provider; what it answers wrongly is an ``OidcError``."""
    import httpx
    from joserfc.errors import JoseError

    try:
        with httpx.Client(timeout=TIMEOUT_SECONDS) as client:
            yield client
    except (JoseError, httpx.HTTPError, ValueError, TypeError, LookupError) as error:
        raise OidcError from error
