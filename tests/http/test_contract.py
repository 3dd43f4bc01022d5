"""The OpenAPI document says what the server does."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from starlette.testclient import TestClient

ROUTES = {
    "/healthz": {"get"},
    "/readyz": {"get"},
    "/api/chat/registries": {"get"},
    "/api/chat/profiles": {"get"},
    "/api/chat/profiles/{slug}": {"get"},
    "/api/chat/profiles/{slug}/resolved": {"get"},
    "/api/chat/resolve": {"post"},
    "/api/chat/sources": {"get"},
}


@pytest.fixture
def client(steady_client: TestClient) -> TestClient:
    return steady_client


@pytest.fixture
def contract(client: TestClient) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/openapi.json").json()
    return document


def test_every_route_is_in_the_document(contract: dict[str, Any]) -> None:
    assert {path: set(methods) for path, methods in contract["paths"].items()} == ROUTES


def test_the_version_is_that_of_the_header(client: TestClient, contract: dict[str, Any]) -> None:
    assert contract["info"]["version"] == client.get("/healthz").headers["livery-api"]


def test_every_route_may_answer_with_a_problem_and_nothing_else_of_that_kind(contract: dict[str, Any]) -> None:
    for methods in contract["paths"].values():
        for operation in methods.values():
            assert set(operation["responses"]) == {"200", "default"}
            assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]


@pytest.mark.parametrize("path", sorted(path for path, methods in ROUTES.items() if "get" in methods))
def test_an_answer_has_the_shape_of_the_document(client: TestClient, contract: dict[str, Any], path: str) -> None:
    answer = client.get(path.replace("{slug}", "coder")).json()
    assert faults(contract, contract["paths"][path]["get"], answer) == []


def test_an_explained_resolution_has_the_shape_of_the_document(client: TestClient, contract: dict[str, Any]) -> None:
    body = {"profile": "coder", "explain": True, "overrides": {"chat.temperature": 1}}
    answer = client.post("/api/chat/resolve", json=body).json()
    operation = contract["paths"]["/api/chat/resolve"]["post"]
    assert faults(contract, operation, answer) == []
    request = operation["requestBody"]["content"]["application/json"]["schema"]
    assert jsonschema_rs.validator_for(request).is_valid(body)


def test_a_problem_has_the_shape_of_the_document(client: TestClient, contract: dict[str, Any]) -> None:
    for path in ("/api/chat/profiles?limit=0", "/api/chat/profiles/nobody"):
        problem = client.get(path).json()
        schema = {"$ref": "#/components/schemas/ProblemDocument", "components": contract["components"]}
        assert list(jsonschema_rs.validator_for(schema).iter_errors(problem)) == []


def faults(contract: dict[str, Any], operation: dict[str, Any], answer: Any) -> list[str]:
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    validator = jsonschema_rs.validator_for({**schema, "components": contract["components"]})
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(answer)]
