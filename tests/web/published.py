"""Asking the API with a key: the schema that it publishes, and whether an answer keeps to it."""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any, Final

import jsonschema  # drf-spectacular brings it
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from access.operations import create_api_key

if TYPE_CHECKING:
    from access.models import User

    Json = Any  # what an answer holds; the schema says more

API: Final = "/api/v1"


def client_with_key(user: User) -> Client:
    """Return a program that shows a key of this user."""
    _, secret = create_api_key(user=user, name="tests")
    return Client(headers={"Authorization": f"Bearer {secret}"})


def body(client: Client, path: str, *, status: int = 200) -> Json:
    response = client.get(path)
    assert response.status_code == status, response.content
    if status == 200:
        check_against_schema(path, response.json())
    return response.json()


@functools.cache
def published_schema() -> Json:
    return json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True)))


def check_against_schema(path: str, answer: Json, *, method: str = "get", status: int = 200) -> None:
    schema = published_schema()
    asked = path.partition("?")[0]
    shape = asked if asked in schema["paths"] else next(one for one in schema["paths"] if _fits(one, asked))
    operation = schema["paths"][shape][method]
    expected = operation["responses"][str(status)]["content"]["application/json"]["schema"]
    strict = nullable_as_types({**expected, "components": schema["components"]})
    jsonschema.Draft202012Validator(strict).validate(answer)


def _fits(shape: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(shape)), path) is not None


def nullable_as_types(node: Json) -> Json:
    """Say OpenAPI 3.0's ``nullable`` in the words of JSON schema, and allow nothing that is not declared."""
    if isinstance(node, list):
        return [nullable_as_types(item) for item in node]
    if not isinstance(node, dict):
        return node
    said = {key: nullable_as_types(value) for key, value in node.items() if key != "nullable"}
    if said.get("type") == "object" and "properties" in said:
        said["additionalProperties"] = False
    return {"anyOf": [said, {"type": "null"}]} if node.get("nullable") is True else said
