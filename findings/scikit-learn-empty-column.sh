#!/usr/bin/env bash
# A column that is missing in every row ends the fit of histogram boosting with an error about a
# window, while another missing value is fine.
#
# Seen with scikit-learn 1.9.1 and numpy 2.4.6: HistGradientBoostingClassifier takes NaN as "missing",
# but a column that holds NaN in all rows raises ValueError "window shape cannot be larger than input
# array shape" from the binning of that column. It needs no whole data set of such rows: a bootstrap
# draw or an early time span in which a new column was not yet filled is enough. A column that is
# constant, or has one value and NaN otherwise, fits.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install \
    scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cat > "$folder/fit.py" <<'PYTHON'
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

random = np.random.default_rng(0)
use = random.normal(size=200)
left = (use + random.normal(size=200) > 0).astype(int)
columns = {
    "one value": np.where(np.arange(200) == 0, 1.0, np.nan),
    "constant": np.ones(200),
    "empty": np.full(200, np.nan),
}
for name, column in columns.items():
    try:
        HistGradientBoostingClassifier(max_iter=5).fit(np.column_stack([use, column]), left)
        print(f"{name}: fits")
    except ValueError as error:
        print(f"{name}: {error}")
PYTHON
seen=$("$folder/venv/bin/python" "$folder/fit.py")
echo "$seen"
[ "$seen" = "one value: fits
constant: fits
empty: window shape cannot be larger than input array shape" ]
