"""Rules for Chinese texts that a test can check; the others are in docs/languages.md."""
# ruff: noqa: RUF001 - Chinese punctuation

import re

HAN, MARKS = "\u4e00-\u9fff", "，。：；！？、（）“”"
RULES = {
    "half-width punctuation": rf"[{HAN}{MARKS}][,.:;!?()\"']|[,:;!?()\"'][{HAN}{MARKS}]",
    "doubled brackets or marks": r"（[^）]*（|）（|））|[，。：；、]{2}|““|””",
    "a space between Chinese characters": rf"[{HAN}{MARKS}] (?=[{HAN}{MARKS}])",
    "a space beside a mark": r" [，。：；、（）]|[，。：；、（）] ",
    "no space beside a number or a Latin word": rf"[{HAN}][A-Za-z0-9]|[A-Za-z0-9][{HAN}]",
    "a space before %": r"\d %",
    "an untranslated level or a code": (
        r"\b(low|medium|high|healthy|watch|unknown|active|dormant|churned|achieved|info|up|down)\b"
        r"|[a-z]+_[a-z]+|at risk|(on|off) track"
    ),
}


def faults(text: str) -> list[str]:
    """Return the rules that a Chinese text breaks."""
    return [rule for rule, pattern in RULES.items() if re.search(pattern, text)]
