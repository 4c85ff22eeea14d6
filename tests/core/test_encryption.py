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

ENCRYPTOR = Encryptor.from_base64(ENCRYPTION_KEY)


@given(st.dictionaries(st.text(), st.text()))
def test_an_encrypted_value_can_be_decrypted_and_not_read(value: dict[str, str]) -> None:
    encrypted = ENCRYPTOR.encrypt(value, context="here")

    assert ENCRYPTOR.decrypt(encrypted, context="here") == value
    assert ENCRYPTOR.encrypt(value, context="here") != encrypted
    assert not any(len(text) > 3 and text.encode() in encrypted for text in value.values())


def test_decryption_needs_the_same_key_the_same_context_and_an_unchanged_value() -> None:
    encrypted = ENCRYPTOR.encrypt("secret", context="here")

    for encryptor, value, context in (
        (Encryptor(b"x" * 32), encrypted, "here"),
        (ENCRYPTOR, encrypted, "there"),
        (ENCRYPTOR, encrypted[:-1] + bytes([encrypted[-1] ^ 1]), "here"),
    ):
        with pytest.raises(DecryptionError):
            encryptor.decrypt(value, context=context)


def test_without_a_key_nothing_is_encrypted() -> None:
    with pytest.raises(StorageUnavailableError, match="HEALTH_ENCRYPTION_KEY is not set"):
        Encryptor(None).encrypt("secret", context="here")


@pytest.mark.parametrize("text", ["short", "a" * 43 + "=" * 5, "c2hvcnQ="])
def test_a_key_is_32_bytes_in_base64(text: str) -> None:
    with pytest.raises(ValidationError, match="32 bytes"):
        Settings(_env_file=None, encryption_key=SecretStr(text))


def test_a_key_is_created_once_and_readable_only_by_this_user(tmp_path: Path) -> None:
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


def test_with_the_embedded_database_a_key_is_created(tmp_path: Path) -> None:
    settings = serving.with_key(Settings(_env_file=None, database_url=None, data_dir=tmp_path))

    assert settings.encryption_key == SecretStr(load_or_create_key(tmp_path))
