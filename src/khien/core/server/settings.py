"""postgresql.conf, derived from the memory and cores of the machine."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

MB = 1024 * 1024


def memory_bytes() -> int:
    """Memory of the machine, or of the container it is limited to."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")):
        try:
            return min(physical, int(limit.read_text()))
        except (OSError, ValueError):
            continue  # no such file, or "max"
    return physical


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cluster_name(home: Path) -> str:
    """Stands in the title of every server process: tells ours from others without any privilege."""
    return "khien-" + hashlib.sha256(str(home).encode()).hexdigest()[:12]


def server_settings(home: Path, socket_folder: Path, memory: int, core_count: int) -> dict[str, str]:
    """Settings for a machine with `memory` bytes and `core_count` cores that also runs the product itself."""
    mb = memory // MB
    shared_buffers = min(max(mb // 5, 32), 16_384)
    connections = 100
    return {
        "listen_addresses": "",
        "unix_socket_directories": str(socket_folder),
        "unix_socket_permissions": "0700",
        "cluster_name": cluster_name(home),
        "update_process_title": "on",
        "max_connections": str(connections),
        "shared_buffers": f"{shared_buffers}MB",
        "effective_cache_size": f"{max(mb // 2, 64)}MB",
        "work_mem": f"{min(max(mb // 4 // connections, 4), 64)}MB",
        "hash_mem_multiplier": "2.0",
        "maintenance_work_mem": f"{min(max(mb // 16, 64), 2048)}MB",
        "autovacuum_work_mem": f"{min(max(mb // 64, 32), 512)}MB",
        "max_worker_processes": str(max(8, core_count + 4)),
        "max_parallel_workers": str(core_count),
        "max_parallel_workers_per_gather": str(max(core_count // 2, 1)),
        "max_parallel_maintenance_workers": str(max(core_count // 2, 1)),
        "io_method": "worker",  # the other asynchronous method needs a kernel interface many containers forbid
        "io_workers": str(min(max(3, core_count // 4), 16)),
        "random_page_cost": "1.1",  # solid-state disks
        "effective_io_concurrency": "64",
        # A load of 100 million people writes far more log than the default 1 GB between two checkpoints.
        "max_wal_size": f"{min(max(mb // 2, 1024), 16_384)}MB",
        # Finished segments are used again up to this size. A new one is written full of zeros and flushed first, which
        # stops whoever commits for some 25 ms every 16 MB.
        "min_wal_size": f"{min(max(mb // 16, 256), 1024)}MB",
        "checkpoint_timeout": "15min",
        # Every build has pglz only, which costs processor time; how much in a load was not measured by itself.
        "wal_compression": "off",
        "wal_buffers": "16MB",
        "jit": "off",  # compiling costs more than these short queries take
        "dynamic_shared_memory_type": _dynamic_memory(),
        "max_locks_per_transaction": "256",  # monthly partitions: one lock each
        "timezone": "UTC",
        "log_timezone": "UTC",
        "lc_messages": "C",
        "default_text_search_config": "pg_catalog.simple",
        "row_security": "on",
        "idle_in_transaction_session_timeout": "10min",
        "logging_collector": "on",
        "log_directory": "log",
        "log_filename": "postgresql-%a.log",
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_startup_progress_interval": "2s",
        "log_checkpoints": "off",
        "log_line_prefix": "%m [%p] %q%u ",
        # Identifiers of people never reach a log: no statements, no parameters, no "Key (...) already exists".
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_statement": "none",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    }


def conf_text(values: Mapping[str, str]) -> str:
    """The values in postgresql.conf form."""
    return "".join(f"{name} = '{_quoted(value)}'\n" for name, value in values.items())


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")


def _dynamic_memory() -> str:
    """Containers often give 64 MB of /dev/shm, too little for parallel queries; then files in the data folder."""
    try:
        found = os.statvfs("/dev/shm")  # noqa: S108 - asked for its size only
        roomy = found.f_blocks * found.f_frsize >= 1024 * MB and os.access("/dev/shm", os.W_OK)  # noqa: S108
    except OSError:
        roomy = not Path("/proc").exists()  # other systems keep it elsewhere
    return "posix" if roomy else "mmap"
