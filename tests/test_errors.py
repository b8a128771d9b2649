"""Errors: one base, readable, and the helpers that word them; the registry that uses them."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import industry_apps
from industry_apps import errors
from industry_apps._lazy import lazy_names
from industry_apps.errors import IndustryAppsError, MissingExtraError, require, unknown_name
from industry_apps.registry import APPLICATIONS, application, applications

ALL = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, Exception) and not issubclass(value, Warning)
]
#: What people catch who know Python and not this package.
CUSTOMARY = {
    "SchemaError": ValueError,
    "ParameterError": ValueError,
    "UnknownNameError": KeyError,
    "DataNotFoundError": FileNotFoundError,
    "LeakageError": ValueError,
    "SuspectedLeakError": ValueError,
    "TrainingError": RuntimeError,
    "MissingExtraError": ImportError,
}


@pytest.mark.parametrize("kind", ALL)
def test_one_base_catches_all_and_the_message_is_shown_as_it_is(kind: type[Exception]) -> None:
    assert issubclass(kind, IndustryAppsError)
    assert issubclass(kind, CUSTOMARY.get(kind.__name__, Exception))
    assert str(kind("Column 'a', row 3. Fix it.")) == "Column 'a', row 3. Fix it."
    assert kind.__doc__


def test_a_missing_package_names_the_extra() -> None:
    with pytest.raises(MissingExtraError) as caught:
        require("no_such_package.part", extra="healthcare", needed_by="MoleculeGenerator")
    assert str(caught.value) == (
        "MoleculeGenerator needs the package 'no_such_package', which is not installed. "
        "Run: pip install 'industry-apps[healthcare]'"
    )


def test_a_present_package_is_imported() -> None:
    assert require("xml.dom", extra="x", needed_by="y") is import_module("xml.dom")


def test_a_broken_package_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_package.py").write_text("import what_it_needs_itself\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="what_it_needs_itself") as caught:
        require("broken_package", extra="x", needed_by="y")
    assert not isinstance(caught.value, MissingExtraError)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fraud", "Unknown model 'fraud'. Did you mean 'frauds'? Known: frauds, wysiwyg."),
        ("qqq", "Unknown model 'qqq'. Known: frauds, wysiwyg."),
    ],
)
def test_an_unknown_name_gets_the_nearest_and_all(name: str, message: str) -> None:
    assert str(unknown_name("model", name, ["wysiwyg", "frauds"])) == message
    assert str(unknown_name("model", name, [])) == f"Unknown model {name!r}. Known: none."


@pytest.mark.parametrize("name", list(APPLICATIONS))
def test_every_application_of_the_table_is_there_and_knows_its_name(name: str) -> None:
    assert name in applications()
    assert application(name).name == name  # type: ignore[attr-defined]


def test_an_application_that_is_not_in_the_table() -> None:
    with pytest.raises(KeyError, match=r"Did you mean 'finance\.fraud_detection'"):
        application("finance.fraud_detektion")


def test_listing_applications_imports_none() -> None:
    code = "import sys, industry_apps.registry as r; r.applications(); print(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "industry_apps.finance.fraud_detection", "industry_apps.application"} & {
        *found
    }


def test_lazy_names(monkeypatch: pytest.MonkeyPatch) -> None:
    load, listing = lazy_names("industry_apps", {"require": "errors", "Column": "schema"})
    monkeypatch.setattr(industry_apps, "require", None, raising=False)  # taken back afterwards
    assert listing() == ["Column", "require"]
    assert load("require") is require
    assert vars(industry_apps)["require"] is require
    with pytest.raises(AttributeError, match="module 'industry_apps' has no attribute 'nothing'"):
        load("nothing")


@pytest.mark.parametrize(
    "package",
    [
        "backbones",
        "benchmark",
        "data",
        "evaluation",
        "export",
        "features",
        "finance",
        "recipes",
        "runtime",
        "testing",
        "training",
    ],
)
def test_every_public_name_can_be_imported(package: str) -> None:
    module = import_module(f"industry_apps.{package}")
    assert sorted(module.__all__) == dir(module)
    for name in module.__all__:
        assert getattr(module, name).__doc__
    # Of a name that is a module too, one of the two would hide the other, whichever comes later.
    assert not {found.name for found in iter_modules(module.__path__)} & {*module.__all__}
