"""The settings of the service. Each process reads them once at its start."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.encryption import decode_key
from app.core.months import RENEWAL_GRACE_DAYS
from app.core.parent_process import PARENT_PID_VARIABLE

VERSION = "0.1.0"
PREFIX = "HEALTH_"
CENTURY_SECONDS = 36_525 * 86_400
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


class Settings(BaseSettings):
    """Each setting is an environment variable with the prefix ``HEALTH_``; empty means unset.

    The file ``.env`` may hold variables of other programs too, as Compose's do.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    database_url: SecretStr | None = None
    encryption_key: SecretStr | None = None
    data_dir: Path = Path(".data")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    metrics_port: int | None = Field(default=None, ge=1, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    embed_worker: bool | None = None
    pool_size: int = Field(default=8, ge=2, le=200)
    max_connections: int = Field(default=2000, ge=1)
    max_connections_per_address: int = Field(default=1000, ge=1)
    prepared_statements: bool = True
    event_retention_days: int = Field(default=400, ge=35)
    usage_retention_days: int = Field(default=1100, ge=200)
    quarantine_retention_days: int = Field(default=30, ge=1)
    message_retention_days: int = Field(default=30, ge=1)
    webhook_allowed_networks: str | None = None
    public_url: str | None = None
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    session_idle_hours: int = Field(default=72, ge=1, le=8760)
    session_days: int = Field(default=30, ge=1, le=366)
    max_wire_bytes: int = Field(default=5 * 1024 * 1024, ge=1024)
    max_body_bytes: int = Field(default=10 * 1024 * 1024, ge=1024)
    max_batch_events: int = Field(default=2500, ge=1)
    events_per_second: int = Field(default=0, ge=0)
    renewal_grace_days: int = Field(default=RENEWAL_GRACE_DAYS, ge=0, le=366)
    import_bytes: int = Field(default=512 * 1024 * 1024, ge=1024)
    clock_offset_seconds: float = Field(default=0, ge=-CENTURY_SECONDS, le=CENTURY_SECONDS)
    log_level: str = "info"

    @field_validator("log_level")
    @classmethod
    def _is_a_level(cls, level: str) -> str:
        if level.lower() not in LOG_LEVELS:
            raise ValueError(f"{level!r} is no log level. Use one of: {', '.join(LOG_LEVELS)}.")
        return level.lower()

    @field_validator("metrics_port")
    @classmethod
    def _is_another_port(cls, port: int | None, info: ValidationInfo) -> int | None:
        if port is not None and port == info.data.get("port"):
            raise ValueError("The port is that of HEALTH_PORT: use another one.")
        return port

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url and not _is_database_url(url.get_secret_value()):
            raise ValueError(
                "The value must be a URL such as postgresql://user:password@host:5432/database."
                " Write characters such as @ : / ? # % in a password as %40 %3A %2F %3F %23 %25."
            )
        return url

    @field_validator("oidc_client_id")
    @classmethod
    def _has_issuer(cls, client_id: str | None, info: ValidationInfo) -> str | None:
        if (client_id is None) != (info.data.get("oidc_issuer") is None):
            raise ValueError("Set HEALTH_OIDC_ISSUER and HEALTH_OIDC_CLIENT_ID, or neither.")
        return client_id

    @field_validator("public_url")
    @classmethod
    def _is_web_address(cls, url: str | None) -> str | None:
        address = (url or "https://x").rstrip("/")
        scheme, _, host = address.partition("://")
        if scheme not in {"http", "https"} or not host or "/" in host:
            raise ValueError(
                f"{url!r} is not the address of a host: use one such as https://health.example.com"
            )
        return url and address

    @field_validator("encryption_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key:
            decode_key(key.get_secret_value())
        return key

    @field_validator("webhook_allowed_networks")
    @classmethod
    def _are_networks(cls, text: str | None) -> str | None:
        for each in (text or "").split(","):
            ip_network(each.strip() or "127.0.0.1")
        return text

    @property
    def allowed_networks(self) -> Sequence[IPv4Network | IPv6Network]:
        """The private networks to which webhooks may be sent, besides public addresses."""
        networks = (self.webhook_allowed_networks or "").split(",")
        return [ip_network(each.strip()) for each in networks if each.strip()]

    @property
    def embedded_database(self) -> bool:
        return self.database_url is None

    @property
    def runs_worker(self) -> bool:
        """Whether ``serve`` starts its own worker process."""
        return self.embedded_database if self.embed_worker is None else self.embed_worker


def _is_database_url(url: str) -> bool:
    """Whether a URL can be parsed; an unescaped password would move the host or the port."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "postgresql" and parts.netloc.count("@") <= 1 and parts.port != 0
    except ValueError:  # the port is not a number
        return False


def unknown_names(names: Iterable[str]) -> Mapping[str, str | None]:
    """Return the names that look like settings and are none, each with the setting it is near."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {PARENT_PID_VARIABLE}
    strangers = {name.upper() for name in names if name.upper().startswith(PREFIX)} - known
    near = {name: get_close_matches(name, known, n=1, cutoff=0.8) for name in sorted(strangers)}
    return {name: found[0] if found else None for name, found in near.items()}
