from string import ascii_letters, digits

from hypothesis import given
from hypothesis import strategies as st

from app.workspaces.keys import generate_key, hash_key, matches, parse_key_id


def test_a_key_carries_its_id_and_matches_its_hash() -> None:
    key = generate_key()

    assert parse_key_id(key.text) == key.id
    assert matches(key.text, key.key_hash)
    assert not matches(generate_key().text, key.key_hash)


def test_a_key_is_recognisable_and_never_the_same() -> None:
    keys = {generate_key().text for _ in range(100)}

    assert len(keys) == 100
    assert all(key.startswith("hk_") and set(key) <= {*digits, *ascii_letters, "_"} for key in keys)


@given(st.text() | st.text(alphabet=digits + "_hk"))
def test_any_other_text_has_no_key_id(text: str) -> None:
    assert parse_key_id(text) is None


@given(st.integers(3, 60), st.sampled_from(digits + ascii_letters))
def test_a_typo_is_detected_without_the_database(position: int, letter: str) -> None:
    text = generate_key().text
    typo = text[:position] + letter + text[position + 1 :]

    assert typo == text or parse_key_id(typo) is None
    assert typo == text or not matches(typo, hash_key(text))
