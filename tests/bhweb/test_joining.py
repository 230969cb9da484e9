"""Modules joined into one script: what is imported is there, and what can not be joined is said."""

from __future__ import annotations

import pytest

from bhweb.joining import JoinError, join

WHOLE = """\
import { x, y } from '../far.js';
const $c = (() => {
export_ = 1;
return { c };
})();
const $b = (() => {
const { c: d } = $c;
const b = d;
return { b };
})();
const { b } = $b;
export function a() { return b; }
"""


def joined(**modules: str) -> str:
    return join(entry="a.js", read=lambda name: modules[name.removesuffix(".js")])


def test_modules_are_joined_in_the_order_of_their_use() -> None:
    script = joined(
        a="// What it does.\nimport { b } from './b.js';\nimport { y } from '../far.js';\n"
        "export function a() { return b; }\n",
        b="import { c as d } from './c.js';\nimport { x } from '../far.js';\nexport const b = d;\n",
        c="export_ = 1;\nexport { c };\n",
    )
    assert script == WHOLE


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ({"a": "import { b } from './a.js';\n"}, "a.js imports a.js: a circle of modules cannot be joined."),
        ({"a": "import { z } from './b.js';\n", "b": ""}, "a.js imports z, which b.js does not export."),
        ({"a": "import b from './b.js';\n"}, "a.js: \"import b from './b.js';\" cannot be joined."),
    ],
)
def test_what_cannot_be_joined_is_said(modules: dict[str, str], message: str) -> None:
    with pytest.raises(JoinError) as raised:
        joined(**modules)
    assert str(raised.value) == message
