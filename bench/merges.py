"""What a resolution is measured against: two bare merges, and the merges of configuration libraries.

None of them says where a value came from, knows a policy or makes a fingerprint. Each takes the layers lowest first.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

Layers = Sequence[dict[str, Any]]


def sharing(layers: Layers) -> dict[str, Any]:
    """The quickest: a new mapping at every level, everything else shared with the layers."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = _over(merged, layer)
    return merged


def _over(below: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in over.items():
        old = result.get(key)
        result[key] = _over(old, value) if type(value) is dict and type(old) is dict else value
    return result


def copying(layers: Layers) -> dict[str, Any]:
    """The same without sharing: who changes the result changes no layer, as with a resolution."""
    merged: dict[str, Any] = {}
    for layer in layers:
        _into(merged, layer)
    return merged


def _into(merged: dict[str, Any], over: dict[str, Any]) -> None:
    for key, value in over.items():
        if type(value) is dict:
            below = merged.get(key)
            if type(below) is not dict:
                merged[key] = below = {}
            _into(below, value)
        else:
            merged[key] = list(value) if type(value) is list else value


def omegaconf(layers: Layers) -> Callable[[], Any]:
    """``OmegaConf.merge`` of nodes that are built before."""
    from omegaconf import OmegaConf

    nodes = [OmegaConf.create(layer) for layer in layers]
    if OmegaConf.to_container(OmegaConf.merge(*nodes)) != sharing(layers):
        raise AssertionError("OmegaConf merges to something else")
    return lambda: OmegaConf.merge(*nodes)


def dynaconf(layers: Layers) -> Callable[[], Any]:
    """``object_merge`` layer after layer. It changes what it is given, so each call copies first: one of its costs."""
    from dynaconf.utils import object_merge

    def merged() -> Any:
        below: Any = {}
        for layer in layers:
            own = copy.deepcopy(layer)
            object_merge(below, own, list_merge="shallow")
            below = own
        return below

    return merged


def copies(layers: Layers) -> Callable[[], Any]:
    """Only the copies that :func:`dynaconf` makes, to be taken off."""
    return lambda: [copy.deepcopy(layer) for layer in layers]


@contextmanager
def hydra(layers: Layers) -> Iterator[Callable[[], Any]]:
    """``compose`` of a defaults list whose configurations are in memory: no file is read."""
    from hydra import compose, initialize
    from hydra.core.config_store import ConfigStore

    store = ConfigStore.instance()
    for number, layer in enumerate(layers):
        store.store(name=f"layer{number}", node=layer)
    names = [f"layer{number}" for number in range(len(layers))]
    store.store(name="whole", node={"defaults": [*names, "_self_"]})
    with initialize(version_base=None):
        from omegaconf import OmegaConf

        if OmegaConf.to_container(compose("whole")) != sharing(layers):
            raise AssertionError("Hydra composes something else")
        yield lambda: compose("whole")
