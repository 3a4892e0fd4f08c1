"""What the packages say of themselves to pip."""

import re
import zipfile
from importlib.metadata import metadata, requires
from pathlib import Path

import pytest

from tests.wheels.archives import problems
from tests.wheels.combinations import DJANGOS, combinations

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(path.name for path in (ROOT / "packages").iterdir())


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_has_the_licence(package):
    licence = ROOT / "packages" / package / "LICENSE"

    # A link would be one in the source distribution, too, where it leads nowhere.
    assert not licence.is_symlink()
    assert licence.read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert metadata(package).get_all("License-File") == ["LICENSE"]


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_names_the_same_supported_releases(package):
    said = metadata(package)
    classifiers = "\n".join(said.get_all("Classifier"))

    assert re.findall(r"Framework :: Django :: (.+)", classifiers) == [*DJANGOS]
    assert said["Requires-Python"] == ">=3.10"


def test_nothing_that_everybody_gets_needs_a_newer_django_than_the_core():
    plain = [text for text in requires("turbo-orm-core") if "extra ==" not in text]
    extra = [text for text in requires("turbo-orm-core") if "extra ==" in text]

    assert sorted(re.match(r"[\w-]+", text)[0] for text in plain) == [
        *("asgiref", "django", "greenlet", "psycopg", "psycopg-pool")
    ]
    assert "django>=4.2" in plain
    assert [re.match(r"[\w-]+", text)[0] for text in extra] == ["django-async-backend"]


def test_an_archive_without_the_licence_is_a_problem(tmp_path):
    wheel = tmp_path / "turbo_orm_core-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("turbo_orm/py.typed", "")

    assert problems(wheel, ROOT) == [f"{wheel.name}: LICENSE is there 0 times, or is another"]


def test_each_series_is_installed_on_each_interpreter_that_it_has_and_its_first_release_once():
    every = [*combinations("3.10"), *combinations("3.12")]
    tried = {(wanted.python, wanted.django) for wanted in every}

    assert tried == {
        *(("3.10", f"django~={series}.0") for series in ("4.2", "5.2")),
        *(("3.12", f"django~={series}.0") for series in DJANGOS),
        *(("3.10", f"django=={series}") for series in ("4.2", "5.2")),
        *(("3.12", f"django=={series}") for series in ("6.0", "6.1")),
    }
