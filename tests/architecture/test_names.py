"""Every public name is there and documented, every application is in the registry."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import get_origin

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import industry_apps
from industry_apps.application import Application
from industry_apps.limits import limits_of
from industry_apps.registry import APPLICATIONS, application
from industry_apps.runtime.zoo import zoo
from tests.architecture.zoo import MODELS

#: Of numpydoc's checks, those that can be right or wrong; the others are taste.
ERRORS = {
    "GL03": "two blank lines",
    "GL07": "sections out of order",
    "GL08": "no docstring",
    "SS03": "the summary does not end with a period",
    "PR01": "a parameter is not documented",
    "PR02": "a documented parameter does not exist",
    "PR03": "parameters in another order",
    "PR10": "no blank before the colon",
    "YD01": "no section Yields",
}

MODULES = [
    name
    for _, name, _ in walk_packages(industry_apps.__path__, "industry_apps.")
    if not name.rpartition(".")[2].startswith("_")
]


def public() -> Iterator[tuple[str, str]]:
    """Module and name of what modules offer in ``__all__``."""
    for name in ["industry_apps", *MODULES]:
        for public_name in getattr(import_module(name), "__all__", ()):
            yield name, public_name


def subclasses(kind: type) -> Iterator[type]:
    for found in kind.__subclasses__():
        yield found
        yield from subclasses(found)


def test_public_names_are_there_and_listed():
    for module, name in public():
        assert hasattr(import_module(module), name), f"{module} has no {name}"
        assert name in dir(import_module(module))


def test_no_name_is_hidden_by_a_module_of_the_same_name():
    # Importing industry_apps.a.b sets the attribute b of industry_apps.a to the module.
    offered = {f"{module}.{name}" for module, name in public() if module != "industry_apps"}
    hidden = offered & set(MODULES)
    assert not hidden


def test_public_names_are_documented():
    wrong = {}
    for module, name in public():
        found = getattr(import_module(module), name)
        alias = get_origin(found) is not None  # of a type: its docstring would be the type's own
        if alias or not callable(found) or getattr(found, "_is_protocol", False):
            continue
        errors = validate(f"{found.__module__}.{found.__qualname__}")["errors"]
        if known := [message for code, message in errors if code in ERRORS]:
            wrong[f"{found.__module__}.{found.__qualname__}"] = known
    assert not wrong


@pytest.mark.parametrize("module", MODULES)
def test_modules_say_what_they_are(module):
    summary = (import_module(module).__doc__ or "").strip().partition("\n")[0]
    assert summary.endswith((".", ":", "?")), f"{module}: {summary!r}"


def test_every_application_is_registered():
    for module in MODULES:
        import_module(module)
    defined = {
        f"{kind.__module__}:{kind.__qualname__}"
        for kind in subclasses(Application)
        if kind.__module__.startswith("industry_apps.") and not inspect.isabstract(kind)
    }
    assert defined == set(APPLICATIONS.values())


@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_row_of_the_registry_is_alive(name):
    kind = application(name)
    assert issubclass(kind, Application)
    assert kind.name == name
    assert kind.__module__ == f"industry_apps.{name}"
    domain = import_module(kind.__module__.rpartition(".")[0])
    assert getattr(domain, kind.__name__) is kind


@pytest.mark.parametrize("name", APPLICATIONS)
def test_each_parameter_is_documented_in_order_and_says_its_limit(name):
    kind = application(name)
    parameters = NumpyDocString(inspect.getdoc(kind))["Parameters"]
    documented = [one for each in parameters for one in each.name.split(", ")]
    assert documented == [field.name for field in fields(kind)]
    assert list(limits_of(kind)) == documented


def test_every_card_names_registered_applications_and_exists_for_them():
    from industry_apps.data import card, catalogue

    named = {name for data in catalogue() for name in card(data).applications}
    assert named == set(APPLICATIONS)


def test_the_file_of_each_application_is_named_after_it():
    for name in APPLICATIONS:
        domain, _, problem = name.partition(".")
        assert (Path(industry_apps.__path__[0]) / domain / f"{problem}.py").is_file()


def test_every_package_is_an_attribute_of_this_one() -> None:
    """``import industry_apps; industry_apps.healthcare`` works, in a process that is new."""
    folder = Path(industry_apps.__file__).parent
    packages = {path.parent.name for path in folder.glob("*/__init__.py")} - {"cli"}
    code = f"import industry_apps as a; print(all(getattr(a, n) for n in {sorted(packages)}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "True\n"
    assert packages <= set(dir(industry_apps))


def test_the_zoo_has_what_is_built_for_it():
    assert set(zoo()) == set(MODELS)
