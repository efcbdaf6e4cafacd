"""Check pinned packages for known vulnerabilities: `python -m dev.vulnerabilities FILE`.

pip-audit asks PyPI for advisories. If a mirror of PyPI has none, pip-audit succeeds all the same.
Here a package without an answer is a failure. The option `--unless-out-of-reach` allows that no
package has an answer, and the output says so. pip-audit's own variables choose another service,
such as PIP_AUDIT_VULNERABILITY_SERVICE=osv.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

CONNECT_SECONDS = 5
LONGEST_SECONDS = 300
VULNERABLE, UNANSWERED = 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Audit and return the exit status of the process: 0, VULNERABLE or UNANSWERED."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", help="Requirements, pinned with hashes.")
    parser.add_argument(
        "--unless-out-of-reach",
        action="store_true",
        help="Succeed if the advisories are unavailable, and say so.",
    )
    options = parser.parse_args(arguments)
    packages = ask(options.file)
    unknown_names = [package["name"] for package in packages if "skip_reason" in package]
    vulnerable = list(map(sentence, filter(lambda package: package.get("vulns"), packages)))
    if vulnerable:
        sys.stdout.write("\n".join(vulnerable) + "\n")
        return VULNERABLE
    if len(unknown_names) == len(packages):
        sys.stdout.write("NOT AUDITED: the service with the advisories is unavailable from here.\n")
        return 0 if options.unless_out_of_reach else UNANSWERED
    if unknown_names:
        sys.stdout.write(
            f"The service with the advisories knows nothing of: {', '.join(unknown_names)}.\n"
        )
        return UNANSWERED
    sys.stdout.write(f"No known vulnerability in {len(packages)} packages.\n")
    return 0


def ask(file: str) -> Sequence[Mapping[str, Any]]:
    """What pip-audit reports about each package, or an empty list if it could not ask."""
    command = [
        *(sys.executable, "-m", "pip_audit", "--requirement", file, "--require-hashes"),
        *("--disable-pip", "--timeout", str(CONNECT_SECONDS), "--progress-spinner", "off"),
        *("--format", "json", "--desc", "off"),
    ]
    try:
        # The exit status is not checked: it is 1 both for a vulnerability and for an error.
        process = subprocess.run(  # noqa: S603 - an installed package
            command, capture_output=True, timeout=LONGEST_SECONDS, check=False
        )
        packages: Sequence[Mapping[str, Any]] = json.loads(process.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError):
        return []
    return packages


def sentence(package: Mapping[str, Any]) -> str:
    """One line with a package and its advisories."""
    advisories = ", ".join(
        f"{advisory['id']} (fixed in {', '.join(advisory['fix_versions']) or 'no release'})"
        for advisory in package["vulns"]
    )
    return f"{package['name']} {package['version']}: {advisories}"


if __name__ == "__main__":
    sys.exit(main())
