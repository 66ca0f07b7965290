"""The wheel as people get it: small by itself, and clear about what else there is to install."""

import json
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

import pytest
from attrs import frozen
from scripts.dependencies import closure

ROOT: Final = Path(__file__).parents[3]


@frozen
class Installed:
    """An environment with the wheel in it, and what it needs without any extra."""

    folder: Path
    wheel: Path

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a program of it, far from our own files."""
        home = {"HOME": str(self.folder), "DAYLILY_HOME": str(self.folder / "home")}
        return subprocess.run(
            [self.folder / "bin" / command[0], *command[1:]],
            cwd=self.folder,
            env=home | variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def python(self, program: str) -> subprocess.CompletedProcess[str]:
        """Run a program in Python."""
        return self.run("python", "-W", "error", "-c", program)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        str(folder),
    ]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("daylily-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install it without any extra."""
    return install(wheel, tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def served(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install it with the extra `server` alone."""
    return install(wheel, tmp_path_factory.mktemp("served"), "server")


def install(wheel: Path, folder: Path, *extras: str) -> Installed:
    """Return an environment with the wheel; what it needs is lent by our own."""
    environment = folder / "venv"
    venv.create(environment, with_pip=False, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python")]
    command = [*pip, "install", "--quiet", "--no-deps", "--no-index", "--no-compile", str(wheel)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (packages,) = environment.glob("lib/python*/site-packages")
    for name in closure("daylily", extras):
        lend(name, packages)
    return Installed(environment, wheel)


def lend(name: str, packages: Path) -> None:
    """Link what a distribution consists of into another environment."""
    found = distribution(name)
    tops = {path.parts[0] for path in found.files or () if not path.parts[0].startswith("..")}
    for top in tops - {"__pycache__"}:
        if not (packages / top).exists():
            (packages / top).symlink_to(Path(str(found.locate_file(top))))


def test_the_wheel_has_what_it_should(installed: Installed) -> None:
    """Types, templates and licence are in it; tests are not."""
    names = zipfile.ZipFile(installed.wheel).namelist()
    assert {"daylily/py.typed", "daylib/py.typed"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.startswith("daylily/entrypoints/portal/templates/") for name in names)
    assert not any(name.startswith("tests") for name in names)


def test_the_command_works(installed: Installed) -> None:
    """It helps, tells its version, and checks a workset without any extra."""
    helped = installed.run("daylily", "--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert "Usage: daylily" in helped.stdout
    version = installed.run("daylily", "--version")
    assert version.stdout.strip().endswith(installed.wheel.name.split("-")[1])
    shown = installed.run("daylily", "config", "show", "--json")
    assert (shown.returncode, bool(json.loads(shown.stdout))) == (0, True), shown.stderr


def test_it_is_a_module_too(installed: Installed) -> None:
    """Where the command is not on the path, `python -m daylily` is the same."""
    told = installed.run("python", "-W", "error", "-m", "daylily", "--version")
    assert told.stdout == installed.run("daylily", "--version").stdout, told.stderr


def test_the_server_needs_no_aws(served: Installed) -> None:
    """With `daylily[server]` alone the service and the module of the guide answer."""
    done = served.python(
        "from importlib.util import find_spec\n"
        "from litestar.testing import TestClient\n"
        "from daylib.workset_api import create_app\n"
        "from daylily.bootstrap import bootstrap\n"
        "from daylily.config import Settings\n"
        "app = create_app(app=bootstrap(Settings(store='memory', engine='memory')))\n"
        "with TestClient(app, base_url='http://127.0.0.1') as client:\n"
        "    print(client.get('/health/ready').status_code, find_spec('boto3'))"
    )
    assert done.stdout.strip() == "200 None", done.stderr


@pytest.mark.parametrize(
    ("variables", "extra"),
    [
        ({"S3_BUCKET": "acme-worksets"}, "aws"),
        ({"COGNITO_USER_POOL_ID": "us-west-2_abc", "COGNITO_APP_CLIENT_ID": "client-7"}, "server"),
        ({"DAYLILY_OIDC_ISSUER": "https://x.example", "DAYLILY_OIDC_AUDIENCE": "y"}, "server"),
        ({"SNS_TOPIC_ARN": "arn:aws:sns:us-west-2:123456789012:news"}, "aws"),
    ],
)
def test_settings_without_their_extra(
    installed: Installed, variables: dict[str, str], extra: str
) -> None:
    """They can be looked at without it; who uses them is told what to install, and nothing else."""
    assert installed.run("daylily", "config", "show", **variables).returncode == 0
    listed = installed.run("daylily", "list", **variables)
    assert listed.returncode == 1
    assert "Traceback" not in listed.stderr
    assert listed.stderr.strip().endswith(f"pip install 'daylily[{extra}]'")


def test_the_library_needs_little(installed: Installed) -> None:
    """The use cases run in memory; `import daylily` loads nothing but itself."""
    program = (
        "import sys, daylily; first = set(sys.modules)\n"
        "from daylily.bootstrap import bootstrap\n"
        "from daylily.config import Settings\n"
        "app = bootstrap(Settings(store='memory', engine='memory'))\n"
        "print(app.cycle().idle, *sorted(name for name in first if name.startswith('attr')))"
    )
    done = installed.python(program)
    assert done.stdout.strip() == "True", done.stderr


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("daylily.entrypoints.http.app", "server"),
        ("daylib.workset_api", "server"),
        ("daylily.adapters.aws.clients", "aws"),
        ("daylily.testing.contracts.state_store", "testing"),
        ("daylily.pipelines.fastq_qc.__main__", "pipelines"),
    ],
)
def test_who_lacks_an_extra_is_told_which(installed: Installed, module: str, extra: str) -> None:
    """The last line says what to type; it is an ImportError, so that programs can do without."""
    done = installed.python(f"import {module}")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("daylily.extras.MissingExtraError: this needs ")
    assert last.endswith(f"pip install 'daylily[{extra}]'")


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (("serve", "--port", "0"), "server"),
        (("monitor", "--metrics-port", "0"), "server"),
    ],
)
def test_commands_say_it_in_one_line(
    installed: Installed, arguments: tuple[str, ...], extra: str
) -> None:
    """No traceback: a line that can be pasted."""
    done = installed.run("daylily", *arguments)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().splitlines()[-1].endswith(f"pip install 'daylily[{extra}]'")


def test_importing_it_takes_no_time() -> None:
    """`import daylily` takes less than 150 ms of the processor's time, the interpreter not counted."""
    program = "import time; t = time.process_time(); import daylily; print(time.process_time() - t)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.15
