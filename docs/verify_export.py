"""Verify a journal's export with nothing but Python: ``python verify_export.py journal.json``."""

import hashlib
import json
import sys
from pathlib import Path


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


wrong, document = 0, json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
for chain in [document, *document.get("imported", [])]:
    previous = ""
    for number, entry in enumerate(chain["entries"], 1):
        link, note = entry["link"], entry["note"] and digest(entry["salt"] + entry["note"])
        spelled = json.dumps(link, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        follows = (link["number"], link["previous_sha256"]) == (number, previous)
        is_whole = digest(spelled) == entry["sha256"] and digest(entry["content"]) == link["content_sha256"]
        wrong += not (follows and is_whole and note in {"", json.loads(entry["content"]).get("note_sha256")})
        previous = entry["sha256"]
    print(f"{len(chain['entries'])} entries, {wrong} wrong, last hash {previous or 'none'}")
sys.exit(bool(wrong))
