"""Running a witness: opens what it remembers, says its key and what to give to the log's operator."""

from __future__ import annotations

import datetime
import socket
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from app.record.log.notes import BadKey, VerifierKey
from app.witness.application import create_witness
from app.witness.judging import Witness
from app.witness.keyfile import KeyFileProblem, load_signer
from app.witness.memory import Memory


class CannotWitness(Exception):
    """The witness does not start; the message says why and what to do."""


def serve(host: str, port: int, file: Path, key_file: Path, name: str | None, logs: Sequence[str]) -> None:
    """Run until told to stop.

    Args:
        host: address to listen on.
        port: port; 0 takes a free one.
        file: what is remembered.
        key_file: the witness's own key.
        name: what a new key is called.
        logs: verifier keys of the logs to trust.

    Raises:
        CannotWitness: a key is not one, the file cannot be opened, or the port is taken.
    """
    try:
        trusted = [VerifierKey.parse(text) for text in logs]
        signer = load_signer(key_file, name)
        with Memory(file) as memory, _listening(host, port) as listener:
            witness = Witness(trusted, signer, memory, _now)
            print(_welcome(witness, host, listener.getsockname()[1], file), flush=True)  # noqa: T201 - what a person who starts it reads
            config = uvicorn.Config(create_witness(witness, memory), log_config=None, access_log=False, server_header=False, ws="none")
            uvicorn.Server(config).run(sockets=[listener])
    except BadKey as error:
        raise CannotWitness(f"--log: {error}") from None
    except KeyFileProblem as error:
        raise CannotWitness(str(error)) from None
    except sqlite3.Error as error:
        raise CannotWitness(f"{file} cannot be opened: {error}; name another file, or put this one back") from None
    except KeyboardInterrupt:
        return


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise CannotWitness(f"cannot listen on {host} port {port}: {error.strerror}; choose another with --port") from None


def _welcome(witness: Witness, host: str, port: int, file: Path) -> str:
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    logs = "".join(f"  log      {origin}\n" for origin in witness.origins)
    return (
        f"The witness listens on {address}\n"
        f"  remembers {file.resolve()}\n{logs}\n"
        "For the service whose log it witnesses:\n"
        f"WANLIU_WITNESS_URL={address}\n"
        f"WANLIU_WITNESS_KEY={witness.key}\n"
    )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
