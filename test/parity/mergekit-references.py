"""Runs mergekit's own command for many recipes: one import, one forked process for each merge.

Reads a JSON list of {"recipe", "out", "args"} from the file named on the command line. A merge that fails leaves
its traceback in OUT.log and makes the exit status 1 in the end.
"""

import json
import os
import sys
import traceback


def main() -> int:
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from mergekit.scripts.run_yaml import main as run_yaml

    torch.set_num_threads(1)
    with open(sys.argv[1], encoding="utf-8") as file:
        jobs = json.load(file)
    failed = 0
    for job in jobs:
        child = os.fork()
        if child == 0:
            log = open(job["out"] + ".log", "w", encoding="utf-8")
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            status = 0
            try:
                run_yaml([job["recipe"], job["out"], "-j", "1", "--quiet", *job["args"]], standalone_mode=False)
            except BaseException:
                traceback.print_exc()
                status = 1
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        failed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
    return 1 if failed else 0


sys.exit(main())
