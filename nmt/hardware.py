"""What this machine can do: devices, precisions, cores, and its measured peak.

torch is imported inside the functions, because settings and help must not wait for it.
"""

import os
import time
from typing import TYPE_CHECKING

from nmt.errors import SettingError

if TYPE_CHECKING:
    import torch

# What there is where torch may find a GPU: NVIDIA's, WSL's, AMD's.
GPU_SIGNS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def wanted_cores() -> int:
    """Return the number of cores that this process may use, or fewer if OMP_NUM_THREADS says so."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores(), int(wanted)) if wanted.isdecimal() else cores()


def launched() -> bool:
    """Say whether this process is one of several that torchrun, or its like, started."""
    numbers = [os.environ.get(name, "") for name in ("RANK", "WORLD_SIZE")]
    known = {"MASTER_ADDR", "MASTER_PORT"} <= os.environ.keys()
    return known and all(text.isdecimal() for text in numbers) and int(numbers[1]) > 1


def rank() -> int:
    """Return which of these processes this one is; 0 where there is but one."""
    return int(os.environ["RANK"]) if launched() else 0


def choose_device(name: str) -> "torch.device":
    """Return the device called `name`; "auto" is a GPU if there is one.

    Raises:
        SettingError: there is no such device.
    """
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        name = "cuda" if gpus else "cpu"
    if name.startswith("cuda") and not gpus:
        raise SettingError(f"--device {name}: torch sees no GPU here; use --device cpu or auto")
    if name == "cuda" and launched():  # each process of a machine has a GPU of its own
        name = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
    known = ["auto", "cpu", *(["cuda"] if gpus else []), *(f"cuda:{n}" for n in range(gpus))]
    if name not in known:
        raise SettingError(f"--device {name}: choose one of {', '.join(known)}")
    return torch.device(name)


def may_have_gpu() -> bool:
    """Guess, without torch, whether "auto" will be a GPU."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return not hidden and any(os.path.exists(sign) for sign in GPU_SIGNS)


def has_fast_bf16(device: "torch.device") -> bool:
    """Say whether the hardware itself multiplies bfloat16 matrices."""
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return _cpu_has("avx512_bf16") or _cpu_has("amx_bf16") or _cpu_has("bf16")


def has_fast_int8() -> bool:
    """Say whether the processor multiplies 8-bit integers four at a time (VNNI)."""
    return _cpu_has("avx512_vnni") or _cpu_has("avx_vnni")


def _cpu_has(feature: str) -> bool:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            words = next((line for line in file if line.startswith(("flags", "Features"))), "")
    except OSError:
        return False
    return feature in words.split()


def matrix_peak(device: "torch.device", dtype: "torch.dtype", seconds: float = 0.3) -> float:
    """Measure the fastest square matrix product of a few sizes, in operations a second.

    Spends about `seconds`; a training run's speed is stated as a share of this.
    """
    import torch

    sizes = (1024, 2048) if device.type == "cpu" else (4096, 8192)
    best = 0.0
    for size in sizes:
        matrix = torch.randn(size, size, device=device).to(dtype)
        torch.mm(matrix, matrix)
        end = time.perf_counter() + seconds / len(sizes)
        while time.perf_counter() < end:
            start = time.perf_counter()
            torch.mm(matrix, matrix)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best
