import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from app import serving
from app.core.encryption import DecryptionError, Encryptor, decode_key, load_or_create_key
from app.core.errors import StorageUnavailableError
from app.core.settings import Settings
from tests.conftest import ENCRYPTION_KEY

VAULT = Encryptor.of(ENCRYPTION_KEY)


@given(st.dictionaries(st.text(), st.text()))
def test_what_is_sealed_is_opened_as_it_was_and_cannot_be_read(value: dict[str, str]) -> None:
    sealed = VAULT.seal(value, place="here")

    assert VAULT.open(sealed, place="here") == value
    assert VAULT.seal(value, place="here") != sealed
    assert not any(len(text) > 3 and text.encode() in sealed for text in value.values())


def test_it_opens_with_its_own_key_in_its_own_place_unchanged() -> None:
    sealed = VAULT.seal("secret", place="here")

    for vault, text, place in (
        (Encryptor(b"x" * 32), sealed, "here"),
        (VAULT, sealed, "there"),
        (VAULT, sealed[:-1] + bytes([sealed[-1] ^ 1]), "here"),
    ):
        with pytest.raises(DecryptionError):
            vault.open(text, place=place)


def test_without_a_key_nothing_is_sealed() -> None:
    with pytest.raises(StorageUnavailableError, match="HEALTH_ENCRYPTION_KEY is not set"):
        Encryptor(None).seal("secret", place="here")


@pytest.mark.parametrize("text", ["short", "a" * 43 + "=" * 5, "c2hvcnQ="])
def test_a_key_is_32_bytes_in_base64(text: str) -> None:
    with pytest.raises(ValidationError, match="32 bytes"):
        Settings(_env_file=None, encryption_key=SecretStr(text))


def test_a_key_is_made_once_and_kept_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    first, again = load_or_create_key(folder), load_or_create_key(folder)

    assert first == again
    assert len(decode_key(first)) == 32
    assert [path.name for path in folder.iterdir()] == ["encryption.key"]
    assert stat.S_IMODE((folder / "encryption.key").stat().st_mode) == 0o600


def test_production_refuses_to_start_without_a_key(tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None, database_url=SecretStr("postgresql://db/health"), data_dir=tmp_path
    )

    with pytest.raises(serving.NoKeyError, match="HEALTH_ENCRYPTION_KEY is not set"):
        serving.with_key(settings)
    assert list(tmp_path.iterdir()) == []


def test_with_the_private_database_a_key_is_seen_to(tmp_path: Path) -> None:
    settings = serving.with_key(Settings(_env_file=None, database_url=None, data_dir=tmp_path))

    assert settings.encryption_key == SecretStr(load_or_create_key(tmp_path))
