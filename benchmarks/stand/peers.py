"""Installs who takes part into environments of their own, under ``benchmarks/peers/`` (git ignores it)."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from stand.process import Unmet, need

REPO = Path(__file__).parents[2]
PEERS = REPO / "benchmarks" / "peers"
TENSORZERO = "tensorzero==2026.6.0"
LITELLM = "litellm[proxy]==1.106.2"
PORTKEY = "@portkey-ai/gateway@1.15.2"
INSTALL_S = 1200


def python_with(package: str) -> Path:
    """The Python of a virtual environment that holds ``package`` (``name==version``); made on first use."""
    folder = PEERS / package.replace("[", "-").replace("]", "").replace("==", "-")
    ready = folder / "installed"
    if not ready.exists():
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        _run(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", package)
        ready.touch()
    return folder / "bin" / "python"


@cache
def farthing() -> Path:
    """The Python of a virtual environment that holds this repository as it is now, as ``pip install`` gives it."""
    found = interpreter()
    folder = PEERS / f"farthing-{''.join(one if one.isalnum() else '-' for one in build(found))}"
    _run(found, "-m", "venv", "--clear", "--without-pip", str(folder))
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps")
    _run(*pip, "--require-hashes", "-r", str(REPO / "requirements.lock"))
    _run(*pip, str(REPO))
    return python


@cache
def interpreter() -> str:
    """What farthing runs on: ``BENCH_PYTHON``, else the operating system's Python, else the one that runs this.

    The system's is compiled as most people's are, with profile-guided optimisation; one that was compiled by a tool
    on the machine itself often is not, and a fifth slower.
    """
    if given := os.environ.get("BENCH_PYTHON"):
        return given
    for minor in (14, 13, 12, 11):
        if Path(system := f"/usr/bin/python3.{minor}").exists():
            return system
    return sys.executable


def build(python: str) -> str:
    """Its version, what compiled it, and whether it is the system's own: two of the same version differ."""
    asked = "import platform; print(platform.python_version(), platform.python_compiler())"
    try:
        done = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        raise Unmet(f"{python} does not run: {problem}") from problem
    return done.stdout.strip() + (", the system's" if python.startswith("/usr/bin/") else "")


def portkey() -> Path:
    """Portkey's start script; installed on first use."""
    folder = PEERS / "portkey"
    script = folder / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    if not script.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _run(need("npm"), "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), PORTKEY)
    return script


def _run(*command: str) -> None:
    print("  " + " ".join(command), file=sys.stderr)
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    if done.returncode:
        raise Unmet(f"{' '.join(command)} failed:\n{(done.stderr or done.stdout)[-1500:]}")
