"""Installs peers into environments of their own, under ``benchmarks/peers/`` (git ignores it)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from stand.process import Unmet, need

PEERS = Path(__file__).parents[1] / "peers"
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
