#!/usr/bin/env bash
# The httpx client of Authlib says at its import that httpx is deprecated, and asks for httpx2.
#
# Seen with Authlib 1.9.10 and httpx 0.28.1 on Python 3.11: `import authlib.integrations.httpx_client` gives an
# AuthlibDeprecationWarning that httpx is deprecated and names httpx2 instead, while OAuth2Client still works on httpx.
# Where warnings are errors, as in many test suites, the import fails. The parts of Authlib that send nothing
# (`authlib.oauth2.rfc7636`, which makes code challenges) import without a warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install authlib==1.9.10 httpx==0.28.1
cat > "$folder/imports.py" <<'PYTHON'
import warnings


def seen(module: str) -> list[tuple[str, bool]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        __import__(module)
    return [(type(each.message).__name__, "httpx2" in str(each.message)) for each in caught]


print(seen("authlib.oauth2.rfc7636"), seen("authlib.integrations.httpx_client"))
from authlib.integrations.httpx_client import OAuth2Client

print(OAuth2Client(client_id="id").create_authorization_url("https://issuer.example/a")[0][:24])
PYTHON
output=$("$folder/venv/bin/python" "$folder/imports.py")
echo "$output"
[ "$output" = "[] [('AuthlibDeprecationWarning', True)]
https://issuer.example/a" ]
