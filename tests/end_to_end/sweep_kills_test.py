#!/usr/bin/env python3
"""kill -9 of `diopter run` at random moments of a sweep, run again until it succeeds: every stored number has the bits of an undisturbed run.
sweep_kills_test.py BUILD SOURCE [ROUNDS]

Threads and memory budgets change from round to round, never within one. DIOPTER_KILL_SEED=S: the first round has that seed, the next S + 1.
The moments depend on the machine too: repeat a seed more than once."""
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

import patching_study
import random_gpt2

BUILD, SOURCE = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 2
SEED = int(os.environ.get("DIOPTER_KILL_SEED", "1"))
# The budget of the second holds a few prompts at once, so that there are several batches to stop in; the first is 60 % of what is
# free, another number in each process.
SETTINGS = [["execution.threads=1"], ["execution.threads=2", 'execution.memory_budget="48MB"']]


def command(folder, store, settings):
    return patching_study.command(BUILD, folder / "kills.toml", store, settings)


def rows(store, query):
    return patching_study.rows(BUILD, store, query)


def finished(folder, store, settings):
    """Runs to the end: what the program said."""
    result = subprocess.run(command(folder, store, settings), capture_output=True, text=True, timeout=280)
    assert result.returncode == 0, (result.returncode, result.stdout, result.stderr)
    return result.stdout


def killed(folder, store, settings, after):
    """False when the program was done before."""
    process = subprocess.Popen(command(folder, store, settings), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(timeout=after)
        assert process.returncode == 0, process.returncode
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True


def numbers(store):
    """Every stored tensor of the run that succeeded, as bytes, by name."""
    succeeded = rows(store, "SELECT id FROM run WHERE status = 'succeeded'")
    assert len(succeeded) == 1, succeeded
    names = [row["name"] for row in rows(store, "SELECT DISTINCT t.name FROM tensor t JOIN run r ON r.seq = t.run_seq WHERE r.status = 'succeeded'")]
    out = {}
    for name in names:
        file = store / "bits.npy"
        patching_study.diopter(BUILD, "tensor", succeeded[0]["id"], name, "--out", file, "--store", store)
        out[name] = file.read_bytes()
        file.unlink()
    assert {"value", "per_prompt"} <= set(out), sorted(out)
    return out


def one_round(folder, settings, undisturbed, seconds, seed):
    """(kills, attempts that went on from finished cells)"""
    generator = random.Random(seed)
    store, kills = folder / "killed", 0
    shutil.rmtree(store, ignore_errors=True)
    for _ in range(generator.randrange(1, 5)):
        # Mostly into the sweep: work is kept from its second second on.
        if not killed(folder, store, settings, seconds * generator.uniform(0.1, 1.0)):
            break
        kills += 1
    finished(folder, store, settings)  # a run that had succeeded before is not run again
    crashed = rows(store, "SELECT count(*) AS n FROM run WHERE status = 'crashed'")[0]["n"]
    assert crashed <= kills, (crashed, kills)  # fewer: killed before the run began or while its numbers were stored
    assert not rows(store, "SELECT id FROM run WHERE status NOT IN ('succeeded', 'crashed')")
    assert not list((store / "spool" / "scratch").glob("*/*")), "finished cells are left after the success"
    found = numbers(store)
    different = [name for name in undisturbed if found.get(name) != undisturbed[name]]
    assert not different and set(found) == set(undisturbed), f"seed {seed}, {settings}: other bits in {different} after {kills} kills"
    return kills, len(rows(store, "SELECT kind FROM v_event WHERE kind = 'sweep-resumed'"))


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        model = random_gpt2.write(folder / "model", BUILD / "share/diopter/organism", layers=6, width=256, heads=8)
        patching_study.write(folder / "kills.toml", model, SOURCE / "experiments/prompts/ioi.jsonl", "layer pos head", "keep_prompts = true\n")
        whole, times = [], []
        for number, settings in enumerate(SETTINGS):
            begin = time.monotonic()
            finished(folder, folder / f"whole{number}", settings)
            times.append(time.monotonic() - begin)
            whole.append(numbers(folder / f"whole{number}"))
            assert not rows(folder / f"whole{number}", "SELECT kind FROM v_event WHERE kind = 'sweep-resumed'")
        kills = resumes = 0
        for round_ in range(ROUNDS):
            which = round_ % len(SETTINGS)
            here = one_round(folder, SETTINGS[which], whole[which], times[which], SEED + round_)
            kills, resumes = kills + here[0], resumes + here[1]
            if (round_ + 1) % 20 == 0:
                print(f"{round_ + 1} rounds: {kills} kills, {resumes} attempts went on from finished cells", flush=True)
        # One kill that is sure to find finished cells, in case chance had none of them.
        for settings, undisturbed in zip(SETTINGS, whole):
            resumes += kill_once_kept(folder, settings, undisturbed)
            kills += 1
    print(f"sweeps under kill -9: {ROUNDS + len(SETTINGS)} rounds, {kills} kills, {resumes} attempts went on from finished cells; all bits equal "
          f"(undisturbed: {', '.join(f'{seconds:.1f} s' for seconds in times)})")
    return 0


def kill_once_kept(folder, settings, undisturbed):
    """Killed as soon as the first finished cells lie in the file: the second attempt must say that it went on from them."""
    store = folder / "kept"
    shutil.rmtree(store, ignore_errors=True)
    process = subprocess.Popen(command(folder, store, settings), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not any(path.stat().st_size > 0 for path in store.glob("spool/scratch/*/sweep-1.cells")):
        time.sleep(0.01)
    assert process.poll() is None, "the sweep ended before it kept finished cells: make it larger"
    time.sleep(0.05)  # the first record may be half written
    process.kill()
    process.wait()
    finished(folder, store, settings)
    resumed = rows(store, "SELECT message FROM v_event WHERE kind = 'sweep-resumed'")
    assert len(resumed) == 1, f"{settings}: the run did not go on from what was kept"
    assert numbers(store) == undisturbed, f"{settings}: other bits after going on"
    return 1


if __name__ == "__main__":
    sys.exit(main())
