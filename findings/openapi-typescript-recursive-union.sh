#!/usr/bin/env bash
# From a union that contains itself, which pydantic writes for "any JSON value", openapi-typescript makes a type that tsc refuses;
# with `skipLibCheck`, which most projects set, the type becomes `any` without a word, and so does all that uses it.
#
# Seen with pydantic 2.14.3 (the schema), openapi-typescript 7.13.0 and typescript 5.9.3 on Node 20: the generator ends with 0 and warns of
# nothing, `tsc --strict` says TS2502 ("is referenced directly or indirectly in its own type annotation"), and with `--skipLibCheck` a
# number is accepted where the schema wants a text, a list of the same, or null. Recursion through an object with named properties is fine.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install pydantic==2.14.3
"$folder/venv/bin/python" - > "$folder/document.json" <<'PYTHON'
import json

from pydantic import TypeAdapter
from typing_extensions import TypeAliasType

Nested = TypeAliasType("Nested", "str | list[Nested] | None")
schema = TypeAdapter(Nested).json_schema(ref_template="#/components/schemas/{model}")
document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}}
print(json.dumps(document | {"components": {"schemas": schema["$defs"]}}))
PYTHON
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" openapi-typescript@7.13.0 typescript@5.9.3 > npm.log 2>&1
node_modules/.bin/openapi-typescript document.json -o schema.d.ts > generator.log 2>&1
cat > use.ts <<'TYPESCRIPT'
import type { components } from "./schema";
export const wrong: components["schemas"]["Nested"] = 7;
TYPESCRIPT
strict=$(node_modules/.bin/tsc --noEmit --strict use.ts || true)
skipped=$(node_modules/.bin/tsc --noEmit --strict --skipLibCheck use.ts && echo accepted || true)
echo "strict: $strict"
echo "with skipLibCheck: $skipped"
[[ "$strict" == *"error TS2502"* ]] && [ "$skipped" = "accepted" ]
