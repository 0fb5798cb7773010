"""Writes canonical.txt, what Nfc.cs has to know of Unicode, from the tables of Python: run it in this folder."""

import unicodedata as unicode

HANGUL = range(0xAC00, 0xD7A4)  # composed by arithmetic
characters = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and c not in HANGUL]

with open("canonical.txt", "w", encoding="ascii") as out:
    print(f"# Unicode {unicode.unidata_version}, by generate.py.", file=out)
    print("# = character decomposition; ! the same, but never composed again", file=out)
    print("# + combining class, and the ranges of characters that have it", file=out)
    for c in characters:
        parts = unicode.decomposition(c)
        if parts and not parts.startswith("<"):
            print("=" if unicode.normalize("NFC", c) == c else "!", f"{ord(c):X} {parts}", file=out)
    for value in sorted({unicode.combining(c) for c in characters} - {0}):
        members = {ord(c) for c in characters if unicode.combining(c) == value}
        starts = sorted(m for m in members if m - 1 not in members)
        ends = sorted(m for m in members if m + 1 not in members)
        print("+", value, *(f"{a:X}-{b:X}" if a < b else f"{a:X}" for a, b in zip(starts, ends)), file=out)
