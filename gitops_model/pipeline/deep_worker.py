"""The other end of `deep.py`: a process that may crash, hang or eat memory. Run by path, never imported.

It reads JSON from stdin (`search`: where modules are looked for, `memory`: bytes, `seconds`), checks model.onnx of
its folder, and writes JSON: {} or {"problem": text}. Exit code 3: there is no onnx.
"""

import json
import resource
import sys

LONGEST = 2000


def main() -> int:
    task = json.load(sys.stdin)
    sys.path[:] = task["search"]
    memory, seconds = int(task["memory"]), int(task["seconds"])
    for what, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
    ):
        try:
            resource.setrlimit(what, (limit, limit))
        except (ValueError, OSError):  # a lower limit is in force already, or the system does not know this one
            continue
    problem: dict[str, str] = {}
    try:
        from onnx import checker

        checker.check_model("model.onnx", full_check=True)  # pyright: ignore[reportUnknownMemberType]
    except ModuleNotFoundError:
        return 3
    except MemoryError:
        problem["problem"] = f"it needs more than {memory >> 20} MiB"
    except Exception as error:  # noqa: BLE001 - whatever the library says about the model is the answer
        problem["problem"] = " ".join(str(error).split())[:LONGEST] or type(error).__name__
    json.dump(problem, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
