"""The command line as a whole: help, version, start-up, and how errors are told."""

import os
import pty
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

COMMANDS = ("preprocess", "train", "translate", "evaluate", "score", "average")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
HEAVY = ("torch", "numpy", "matplotlib", "sentencepiece", "sacrebleu", "tqdm", "rich")

# A stand-in command that ends as the test asks: the way errors are told is the same for all.
PROGRAM = """
import errno, os, signal, sys, time
from nmt.cli import app
from nmt.errors import DataError, Interrupted, UsageError

class OutOfMemoryError(RuntimeError):
    "Named as torch's is."

def stand_in() -> None:
    {body}

app.app.command("stand-in")(stand_in)
app.main()
"""


def stand_in(body: str) -> list[str]:
    """Return the command of a program that is `nmt` with one more command, `stand-in`."""
    program = PROGRAM.format(body=textwrap.indent(textwrap.dedent(body), "    ").strip())
    return [sys.executable, "-c", program, "stand-in"]


def run_program(body: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run that program to its end."""
    return subprocess.run(
        stand_in(body),
        capture_output=True,
        text=True,
        timeout=60,
        env=ENVIRONMENT | env,
    )


def test_help_lists_the_commands(nmt_cli):
    outcome = nmt_cli("--help")
    assert outcome.code == 0
    listed = outcome.stdout.split("Commands:")[1]
    assert all(f" {command} " in listed for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_an_example(nmt_cli, command):
    outcome = nmt_cli(command, "--help")
    assert outcome.code == 0
    assert f"nmt {command} " in outcome.stdout.split("Usage:")[1].split("\n", 1)[1]
    assert "--quiet" in outcome.stdout


def test_version(nmt_cli):
    import nmt

    assert nmt_cli("--version").stdout == f"nmt {nmt.__version__}\n"


def test_usage_errors_exit_with_2_and_name_the_way_out(nmt_cli):
    outcome = nmt_cli("--colour")
    assert outcome.code == 2
    assert outcome.stderr.endswith("\nError: No such option: --colour\n")
    assert nmt_cli("trian").code == 2


@pytest.mark.parametrize("start", ["import nmt", "import nmt.cli.app; nmt.cli.app.app(['--help'])"])
def test_start_up_loads_nothing_heavy(start):
    program = f"""
        import sys
        try:
            {start}
        except SystemExit:
            pass
        print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    )
    assert done.stderr == "[]\n"


@pytest.mark.parametrize(
    ("body", "sentence", "code"),
    [
        ("raise DataError('a.txt: empty')", "nmt: error: a.txt: empty", 1),
        ("raise UsageError('not both')", "nmt: error: not both", 2),
        ("raise Interrupted('saved', 143)", "nmt: saved", 143),
        ("open('/no/such')", "nmt: error: /no/such: no such file or folder", 1),
        ("open('/')", "nmt: error: /: this is a folder, not a file", 1),
        (
            "raise PermissionError(errno.EACCES, '', 'a.txt')",
            "nmt: error: a.txt: permission denied",
            1,
        ),
        (
            "raise OSError(errno.ENOSPC, '')",
            "nmt: error: no space left on the disk: free some and run the same command again",
            1,
        ),
        (
            "raise OSError(errno.EFBIG, '', 'ids.npy')",
            "nmt: error: ids.npy: no space left for a file this large: "
            "free some and run the same command again",
            1,
        ),
        (
            "raise MemoryError",
            "nmt: error: there is not enough memory: end other programs, or use shorter lines, "
            "smaller batches or a smaller model",
            1,
        ),
        (
            "raise OutOfMemoryError('CUDA')",
            "nmt: error: the GPU's memory is full: use smaller batches or a smaller model",
            1,
        ),
        (
            "1 / 0",
            "nmt: error: this is a fault of nmt (ZeroDivisionError: division by zero); please "
            "report it with what NMT_DEBUG=1 in front of the command shows",
            1,
        ),
        ("os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", "nmt: interrupted", 130),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", "nmt: stopped by SIGTERM", 143),
        ("os.kill(os.getpid(), signal.SIGHUP); time.sleep(9)", "nmt: stopped by SIGHUP", 129),
        (
            "raise ValueError('one\\ntwo')",
            "nmt: error: this is a fault of nmt (ValueError: one); please report it with what "
            "NMT_DEBUG=1 in front of the command shows",
            1,
        ),
    ],
)
def test_an_error_is_one_sentence_and_an_exit_code(body, sentence, code):
    done = run_program(body)
    assert (done.stderr, done.returncode, done.stdout) == (sentence + "\n", code, "")


def test_debug_shows_where_it_happened():
    done = run_program("raise DataError('a.txt: empty')", NMT_DEBUG="1")
    assert "Traceback" in done.stderr
    assert done.stderr.endswith("nmt: error: a.txt: empty\n")


@pytest.mark.parametrize("rank", ["1", "x"])
def test_variables_of_a_cluster_silence_no_command_but_train(rank):
    cluster = {"RANK": rank, "WORLD_SIZE": "2", "MASTER_ADDR": "a", "MASTER_PORT": "1"}
    done = run_program("raise DataError('a.txt: empty')", **cluster)
    assert (done.stderr, done.returncode) == ("nmt: error: a.txt: empty\n", 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_lets_clean_up_code_run(tmp_path, number):
    done = run_program(
        f"""
        import pathlib
        from nmt.files import atomic_write
        with atomic_write(pathlib.Path({str(tmp_path)!r}) / "new") as file:
            file.write("half")
            os.kill(os.getpid(), {number})
            time.sleep(9)
        """
    )
    assert done.returncode == 128 + number
    assert list(tmp_path.iterdir()) == []


def test_a_lost_terminal_ends_a_command_by_its_signal():
    body = """
    import logging
    from nmt.progress import setup_logging
    setup_logging(False)
    try:
        print("ready", flush=True)
        time.sleep(30)
    finally:
        logging.getLogger("nmt").info("what is there is kept")
    """
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        stand_in(body),
        stdout=subprocess.PIPE,
        stderr=inside,
        text=True,
        env=ENVIRONMENT,
    )
    os.close(inside)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.close(terminal)
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=30) == 128 + signal.SIGHUP


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc is Linux's own")
@pytest.mark.parametrize("delay", [0, 0.1, 0.5, 1])
def test_ctrl_c_at_any_moment_shows_no_traceback(tmp_path, delay):
    reference = tmp_path / "reference"
    reference.write_text("ein Hund\n")
    command = [sys.executable, "-m", "nmt", "evaluate", "--reference", reference]
    process = subprocess.Popen(
        [*command, "--hypothesis", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    while not _catches_sigterm(process.pid):  # before main(), Python itself is still starting
        time.sleep(0.01)
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    # Python itself may end by the signal after we have spoken, if it came while a module in C was
    # imported; to a shell both are 130.
    assert process.returncode in (130, -signal.SIGINT)
    assert stderr in ("nmt: interrupted\n", "" if process.returncode < 0 else None)


def _catches_sigterm(process: int) -> bool:
    status = Path(f"/proc/{process}/status").read_text()
    caught = int(status.split("SigCgt:")[1].split()[0], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("reader", ["head -n 1", "true"])
def test_a_reader_that_had_enough_ends_us_quietly(reader):
    body = "for number in range(100000): print(number)"
    program = PROGRAM.format(body=body)
    shell = f'{{ "$0" -c "$1" stand-in; echo "code $?" >&2; }} | {reader}'
    done = subprocess.run(
        ["bash", "-c", shell, sys.executable, program],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    )
    assert done.stderr == f"code {128 + signal.SIGPIPE}\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's own")
@pytest.mark.parametrize(
    ("closed", "code", "out", "err"),
    [
        ("2>&-", 0, "result\n", ""),
        (">&-", 1, "", "nmt: error: standard input or output is closed: "),
        ("<&-", 1, "", "nmt: error: standard input or output is closed: "),
    ],
)
def test_streams_that_are_closed(closed, code, out, err):
    body = "print('note', file=sys.stderr); print('result')"
    if closed == "<&-":
        body = "sys.stdin.read()"
    elif closed == ">&-":
        body = "print('result')"
    program = PROGRAM.format(body=body)
    ended = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -c "$1" stand-in {closed}', sys.executable, program],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    assert (ended.returncode, ended.stdout) == (code, out)
    assert ended.stderr.startswith(err)
    assert ended.stderr.count("\n") == int(bool(err))


def test_a_full_disk_behind_standard_output():
    program = PROGRAM.format(body="print('result')")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program, "stand-in"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
    assert done.returncode == 1
    sentence = "no space left on the disk: free some and run the same command again"
    assert done.stderr == f"nmt: error: {sentence}\n"
